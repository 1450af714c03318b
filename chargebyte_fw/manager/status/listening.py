"""Collect the status of a charger from a broker: what its modules and its API publish."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.status.answer import PILOT_COMMANDS, VARIABLES, topic_of
from chargebyte_fw.manager.status.api import API
from chargebyte_fw.manager.status.collector import Collector

PERIOD_S = 1.0
"""In which API and energy nodes publish everything again."""
LONGEST_S = 3.5
"""How long a status waits for what is still missing: three periods."""
LOOK_S = 0.05
EVENTS = ("session_event",)
_API = (
    "connectors",
    "errors/var/active_errors",
    "ocpp/var/connection_status",
    *(f"+/var/{name}" for name in ("session_info", "powermeter", "limits", "ev_info", "selected_protocol")),
)


def topics(prefix: str) -> list[str]:
    """Return the filters of the topics that a status is made of: not the traffic of a car."""
    names = [*EVENTS, *(name for names in VARIABLES.values() for name in names)]
    modules = f"{prefix}modules/+"
    return [
        topic_of(prefix),
        f"{prefix}module_names",
        f"{modules}/metadata",
        *(f"{modules}/impl/+/var/{name}" for name in names),
        *(f"{modules}/impl/+/cmd/{name}" for name in PILOT_COMMANDS),
        f"{modules}/impl/+/error/#",
        *(f"{API}/{topic}" for topic in _API),
    ]


def listen(client: MqttClient, collector: Collector, taken: Callable[[], None] = lambda: None) -> None:
    """Have the collector take what comes; `taken` is called after each message."""
    loop = asyncio.get_running_loop()

    def take(topic: str, payload: bytes) -> None:
        collector.take_topic(topic, payload, loop.time())
        taken()

    for topic in topics(collector.prefix):
        client.subscribe(topic, take)


async def settle(collector: Collector) -> None:
    """Wait until the picture is whole: a period at least, three at most, and no longer than for a whole answer."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    while (waited_s := loop.time() - began_s) < LONGEST_S:
        if collector.answer is not None:
            return
        # The modules' topics may not be published, or not be for this client: the API alone is no reason to wait on.
        least_s = PERIOD_S * (1.2 if collector.requests else 2.4)
        if waited_s >= least_s and collector.api.complete:
            return
        await asyncio.sleep(LOOK_S)
