"""Which broker a subcommand uses: named, configured, of the environment, or the usual one."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.cli.broker import client_of
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.settings import Settings
from chargebyte_fw.manager.mqtt.address import BrokerAddress


def test_the_nearest_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Root(tmp_path, tmp_path)
    for name in ("MQTT_SERVER_ADDRESS", "MQTT_SERVER_PORT"):
        monkeypatch.delenv(name, raising=False)
    assert client_of(root, None).address == BrokerAddress("localhost", 1883)
    monkeypatch.setenv("MQTT_SERVER_PORT", "1999")
    assert client_of(root, None).address == BrokerAddress("localhost", 1999)
    monkeypatch.setenv("MQTT_SERVER_ADDRESS", "box")
    assert client_of(root, None).address == BrokerAddress("box", 1999)
    configured = Settings(broker_socket="/run/m.socket", broker_named=True)
    assert client_of(root, None, configured).address == BrokerAddress("localhost", 1883, "/run/m.socket")
    assert client_of(root, "unix:///run/n.socket", configured).address == BrokerAddress(socket_path="/run/n.socket")
    with pytest.raises(ConfigError, match="http:// is not spoken here"):
        client_of(root, "http://box")
