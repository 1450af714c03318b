"""`secc status` and `secc watch`: a charger that is not there, a recorded C++ EVerest on a broker."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import threading
from pathlib import Path

import pytest

from chargebyte_fw.cli.main import main
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from tests.manager.broker import Mosquitto
from tests.manager.status.recorded import messages


def test_without_a_charger_a_line_names_the_socket_and_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--root", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"{tmp_path}/run/secc/control" in err and "start it" in err


LIMIT_S = 40
"""After which a watch that sees no change is ended."""
INFO = "everest_api/evse_manager/var/session_info"


class Replay:
    """Publishes a recording up to a moment again and again, as a charger does with what is periodic in it."""

    def __init__(self, broker: Mosquitto, name: str, until_s: float) -> None:
        self._address = BrokerAddress("127.0.0.1", broker.port)
        self._messages = dict(messages(name, until_s))
        self.alternates = False
        """Whether the session ends and begins, again and again."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._publish()))
        self._thread.start()

    async def _publish(self) -> None:
        client = MqttClient(self._address)
        client.start()
        for turn in itertools.count():
            for topic, payload in self._messages.items():
                client.publish(topic, payload)
            if self.alternates and turn % 3 == 0:
                states = (b'"Charging"', b'"Finished"')
                self._messages[INFO] = self._messages[INFO].replace(*(states if turn % 2 else states[::-1]))
            await asyncio.sleep(0.3)
            if self._over.is_set():
                break
        await client.stop()

    def close(self) -> None:
        self._over.set()
        self._thread.join()


def test_a_recorded_everest_on_a_broker_is_shown_and_watched(
    mosquitto: Mosquitto, capsys: pytest.CaptureFixture[str]
) -> None:
    replay = Replay(mosquitto, "everest-dc", 41.0)
    broker = ("--broker", f"127.0.0.1:{mosquitto.port}")
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(LIMIT_S)
    try:
        assert main(["status", *broker, "--json"]) == 0
        status = json.loads(capsys.readouterr().out)
        replay.alternates = True
        assert main(["watch", *broker, "--json", "--every", "0.2", "--count", "1"]) == 0
        first, change = map(json.loads, capsys.readouterr().out.splitlines())
    finally:
        signal.alarm(0)
        replay.close()
    assert first["status"]["evses"][0]["id"] == "evse_manager"
    assert change["what"] == "evses.evse_manager.state" and {change["was"], change["now"]} == {"Charging", "Finished"}
    (evse,) = status["evses"]
    assert (evse["id"], evse["state"], evse["protocol"]) == ("evse_manager", "Charging", "ISO15118-2-2013")
    assert evse["car"]["evcc_id"] == "56:2F:33:97:B3:74" and evse["power_W"] == 8000.0
    assert next(limit["who"] for limit in evse["limits"] if limit["rules"]).startswith("the fuse of")
    assert status["source"] == f"127.0.0.1:{mosquitto.port}" and len(status["modules"]) == 19
