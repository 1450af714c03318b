"""A charger publishes its status while someone looks, and only then."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.status import publishing
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until

PERIOD_S = 0.1
TOPIC = "everest/secc/status"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "PERIOD_S", PERIOD_S)


class Charger:
    """Counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.fails = False

    async def status(self, _: dict[str, Any]) -> dict[str, Any]:
        self.asked += 1
        if self.fails:
            raise RuntimeError("half way through a start")
        return {"time": str(self.asked), "csms": {"state": "connected", "url": "wss://csms.example/secret"}}


def watched(mosquitto: Mosquitto, play: Callable[[Charger, MqttClient, list[Any]], Awaitable[None]]) -> None:
    """Run a charger that publishes, and someone with a list of what has come."""

    async def main() -> None:
        charger, got = Charger(), list[Any]()
        client, tool = (MqttClient(BrokerAddress("127.0.0.1", mosquitto.port)) for _ in range(2))
        client.start()
        tool.start()
        publishes = asyncio.ensure_future(publishing.publish_status(client, "everest/", charger.status))
        await until(lambda: client.online and tool.online)
        try:
            await play(charger, tool, got)
        finally:
            publishes.cancel()
            await asyncio.gather(publishes, return_exceptions=True)
            await client.stop()
            await tool.stop()

    run_loop(main())


def subscribe(tool: MqttClient, got: list[Any]) -> Callable[[], None]:
    return tool.subscribe(TOPIC, lambda _, payload: got.append(json.loads(payload)) if payload != b"{}" else None)


def test_nobody_is_answered_where_nobody_looks(mosquitto: Mosquitto) -> None:
    async def play(charger: Charger, tool: MqttClient, got: list[Any]) -> None:
        await asyncio.sleep(5 * PERIOD_S)
        assert charger.asked == 0
        end = subscribe(tool, got)
        await until(lambda: len(got) >= 3)
        assert got[0] == {"time": "1", "csms": {"state": "connected"}}
        end()
        await asyncio.sleep(3 * PERIOD_S)
        asked = charger.asked
        await asyncio.sleep(5 * PERIOD_S)
        assert charger.asked == asked

    watched(mosquitto, play)


def test_it_goes_on_after_a_failure_and_when_the_broker_is_back(mosquitto: Mosquitto) -> None:
    async def play(charger: Charger, tool: MqttClient, got: list[Any]) -> None:
        charger.fails = True
        subscribe(tool, got)
        await until(lambda: charger.asked >= 2)
        charger.fails = False
        await until(lambda: bool(got))
        mosquitto.kill()
        await until(lambda: not tool.online)
        got.clear()
        mosquitto.start()
        await until(lambda: bool(got))

    watched(mosquitto, play)
