"""Two modems that find each other without a frame: the machine of SlacSimulator."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.contracts.interfaces.ev_slac import EvSlac
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.kernel.machine import Machine, on

MATCHING_S = 2.0
"""From the moment at which both modems look for each other to the match."""
CAR_MAC = "02:00:00:00:00:02"


class Link(Enum):
    """The states of the line."""

    APART = "one modem at most looks for the other"
    MATCHING = "both look for each other"
    MATCHED = "both are in one network"


class Charger(msgspec.Struct, frozen=True):
    """Event: the charger's modem begins to look for a car, or ends that and leaves the network."""

    looks: bool


class Car(msgspec.Struct, frozen=True):
    """Event: the car's modem begins to look for a charger, or ends that and leaves the network."""

    looks: bool


class Line(Machine):
    """Both modems and the line between them. The network is left by both at once."""

    initial = Link.APART

    def __init__(self) -> None:
        super().__init__()
        self.charger_looks = False
        self.car_looks = False

    @on(*Link, event=Charger, to=(Link.APART, Link.MATCHING))
    def charger_changes(self, event: Charger, now: float) -> list[Any]:
        """The charger's modem begins a match, or leaves; a match that stands ends with either."""
        lost = self._leave()
        self.charger_looks = event.looks
        state = State.MATCHING if event.looks else State.UNMATCHED
        return [*lost, publish(Slac.state, state), *self._look(now)]

    @on(*Link, event=Car, to=(Link.APART, Link.MATCHING))
    def car_changes(self, event: Car, now: float) -> list[Any]:
        """The car's modem begins a match, or leaves; a match that stands ends with either."""
        lost = self._leave()
        self.car_looks = event.looks
        state = State.MATCHING if event.looks else State.UNMATCHED
        return [*lost, publish(EvSlac.state, state), *self._look(now)]

    @on(Link.MATCHING, timer="matching", to=Link.MATCHED)
    def match(self, now: float) -> list[Any]:
        """The modems are in one network."""
        self.enter(Link.MATCHED)
        return [
            publish(Slac.ev_mac_address, CAR_MAC),
            publish(EvSlac.ev_mac_address, CAR_MAC),
            publish(Slac.state, State.MATCHED),
            publish(EvSlac.state, State.MATCHED),
            publish(Slac.dlink_ready, True),
            publish(EvSlac.dlink_ready, True),
        ]

    def _leave(self) -> list[Any]:
        self.stop("matching")
        if self.state is not Link.MATCHED:
            return []
        self.charger_looks = self.car_looks = False
        return [
            publish(Slac.dlink_ready, False),
            publish(EvSlac.dlink_ready, False),
            publish(Slac.state, State.UNMATCHED),
            publish(EvSlac.state, State.UNMATCHED),
        ]

    def _look(self, now: float) -> list[Any]:
        if self.charger_looks and self.car_looks:
            self.enter(Link.MATCHING)
            self.start("matching", now + MATCHING_S)
        else:
            self.enter(Link.APART)
        return []
