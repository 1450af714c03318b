"""The car's machine: search, connection, handshake, session, end."""

from __future__ import annotations

from enum import Enum, auto

from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.v2g.evcc.face import CarFacts, CarSettings


class EvccState(Enum):
    """How far the car got."""

    IDLE = auto()
    SEARCHING = auto()
    CONNECTING = auto()
    HANDSHAKE = auto()
    SESSION = auto()
    ENDED = auto()


class Evcc(Machine):
    """One session of a car: feed it events and time, carry out its effects."""

    def __init__(self, settings: CarSettings, facts: CarFacts) -> None:
        super().__init__(EvccState.IDLE)
        self.settings = settings
        self.facts = facts
