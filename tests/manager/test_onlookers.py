"""Values that only onlookers can receive are not published while there are none."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.mqtt.link import MqttLink
from chargebyte_fw.manager.wire import onlookers
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    publish = MqttLink.publish

    def noted(link: MqttLink, topic: str, payload: bytes, *rest: Any) -> None:
        if topic == "var":
            found.append(json.loads(payload)["data"]["data"])
        publish(link, topic, payload, *rest)

    monkeypatch.setattr(MqttLink, "publish", noted)
    monkeypatch.setattr(onlookers, "LOOK_S", 0.1)
    monkeypatch.setattr(onlookers, "LISTENED_LOOK_S", 0.2)
    return found


def test_who_subscribes_gets_all_values_and_no_one_costs_a_comparison(mosquitto: Mosquitto, sent: list[Any]) -> None:
    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        tool = MqttClient(client.address)
        client.start()
        tool.start()
        await until(lambda: client.online and tool.online)
        for_onlookers = onlookers.Onlookers(client)
        publish = for_onlookers.of("var")
        await until(lambda: for_onlookers._settled)
        publish(0)
        await asyncio.sleep(0.05)
        for number in range(1, 1000):
            publish(number)
        assert sent == [0], "the others have cost nothing"
        got: list[int] = []
        end = tool.subscribe("var", lambda _, payload: got.append(json.loads(payload)["data"]["data"]))
        await asyncio.sleep(0.15)
        wanted = list(range(1000, 1100))
        for number in wanted:
            publish(number)
            await asyncio.sleep(0.005)
        await until(lambda: got == wanted)
        # Its subscription has ended: that is noticed with one of the next values.
        end()
        await asyncio.sleep(0.25)
        publish(2000)
        await asyncio.sleep(0.05)
        publish(2001)
        assert sent[-1] == 2000
        # Without the second connection everything goes over the first one.
        for_onlookers._close()
        publish(2002)
        assert sent[-1] == 2002
        for_onlookers.end()
        await client.stop()
        await tool.stop()

    run_loop(main())


def test_a_broker_without_version_5_gets_everything(mosquitto: Mosquitto, sent: list[Any]) -> None:
    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        client.start()
        await until(lambda: client.online)
        for_onlookers = onlookers.Onlookers(client)
        for_onlookers._lost("the broker refuses us: Unsupported protocol version")
        await asyncio.sleep(0.2)
        publish = for_onlookers.of("var")
        for number in range(10):
            publish(number)
        assert sent == list(range(10)) and for_onlookers._link is None
        for_onlookers.end()
        await client.stop()

    run_loop(main())
