"""Retained metadata on the broker: there while a module of another process joins, and for no longer.

Nothing is published again while a module may be reading: one of EVerest takes any message as the answer to what it
asked for, and ends on a second one (framework: 4.4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier

JOIN_LIMIT_S = 60.0
"""How long the metadata stays for a module that joins later and does not report ready."""


class Joining:
    """Knows who joins: from the start until all are ready, later each module that begins to ask.

    `retain` is EVerest's option `--retain-topics`: the metadata stays, after the end as well.
    """

    def __init__(self, carrier: Carrier, *, retain: bool) -> None:
        self._carrier = carrier
        self._retain = retain
        self._plans: list[ModulePlan] = []
        self._starting = False
        self._guests: dict[str, asyncio.TimerHandle | None] = {}
        self._topics: list[str] = []

    def begin(self, plans: Iterable[ModulePlan], guests: Iterable[str]) -> None:
        """Publish for the start of this configuration with these modules of other processes."""
        self._plans = list(plans)
        self._starting = True
        self._guests = dict.fromkeys(guests)
        self._tidy()

    def admit(self, module_id: str) -> bool:
        """Publish for a module that joins now; False if it is about to join anyway."""
        if module_id in self._guests:
            return False
        loop = asyncio.get_running_loop()
        self._guests[module_id] = loop.call_later(JOIN_LIMIT_S, self.arrived, module_id)
        self._tidy()
        return True

    def arrived(self, module_id: str) -> None:
        """Note that a module has read everything: it is ready, or has ended."""
        timer = self._guests.pop(module_id, None)
        if timer is not None:
            timer.cancel()
        self._tidy()

    def all_are_ready(self) -> None:
        """Erase the metadata unless a module is still to come."""
        self._starting = False
        self._tidy()

    def end(self) -> None:
        """Erase the metadata: the assembly ends."""
        for timer in self._guests.values():
            if timer is not None:
                timer.cancel()
        self._guests.clear()
        self._starting = False
        self._tidy()
        self._plans = []

    def _tidy(self) -> None:
        wanted = bool(self._guests) or self._retain
        if wanted and not self._topics and self._plans:
            self._publish()
        elif self._topics and not wanted and not self._starting:
            for topic in self._topics:
                # In the same order of delivery as what it erases.
                self._carrier.client.publish(topic, b"", retain=True, qos=2)
            self._topics = []

    def _publish(self) -> None:
        # Imported only here: the descriptions of every interface cost time and memory.
        from chargebyte_fw.manager.wire.metadata import metadata

        response = self._carrier.dialect.response
        for topic, data in metadata(self._plans, self._carrier).items():
            self._topics.append(self._carrier.prefix + topic)
            self._carrier.client.publish(self._topics[-1], envelope.message(response, data), retain=True, qos=2)
