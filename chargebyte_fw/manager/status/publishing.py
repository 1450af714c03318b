"""The status of this charger on its broker, while someone looks: what its control socket answers, once a second.

The topic is below `secc/` of EVerest's prefix, where no program of EVerest subscribes. Whether someone looks is known
from a broker of MQTT 5 (`wire/onlookers.py`); over another one nothing is published.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.status.answer import topic_of
from chargebyte_fw.manager.wire.onlookers import Onlookers

PERIOD_S = 1.0
"""How often it is looked whether someone looks, and how often whoever looks gets the status."""

Ask = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


async def publish_status(client: MqttClient, prefix: str, ask: Ask) -> None:
    """Publish what `ask({})` returns, until cancelled."""
    loop = asyncio.get_running_loop()
    topic = topic_of(prefix)
    onlookers = Onlookers(client)
    failures = RateLimitedLog(ModuleLog("manager"), "%d more times it could not be published within %g s", lines=1)
    looks = asyncio.Event()

    def found(subscribed: bool) -> None:
        if subscribed:
            looks.set()

    try:
        while True:
            next_s = loop.time() + PERIOD_S
            looks.clear()
            onlookers.look(topic, found)
            with suppress(TimeoutError):
                async with asyncio.timeout_at(next_s):
                    await looks.wait()
            if looks.is_set():
                try:
                    client.publish(topic, msgspec.json.encode(_shown(await ask({}))), wait=False)
                except Exception as error:
                    # Whoever looks must not make the charger fail.
                    failures.write("the status is not published: %s: %s", type(error).__name__, error)
                await asyncio.sleep(next_s - loop.time())
    finally:
        failures.close()
        onlookers.end()


def _shown(answer: dict[str, Any]) -> dict[str, Any]:
    """Leave out what the control socket alone shows: where the CSMS is."""
    csms = answer.get("csms")
    return answer | {"csms": {"state": csms.get("state")} if isinstance(csms, dict) else None}
