"""The power line between modems: who receives whom, how much is lost on the way, and which modems share a network.

Pure: hosts' frames and time in, frames to hosts and link changes out. `modem_bench.py` gives it ports.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.slac.messages import (
    GROUP_BIT,
    GROUPS,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    Frame,
    decode,
)
from chargebyte_fw.sim.modem import Modem


class FromHost(msgspec.Struct, frozen=True):
    """Event: the host of modem `name` sent a frame to it."""

    name: str
    data: bytes


class Power(msgspec.Struct, frozen=True):
    """Event: modem `name` got or lost its power."""

    name: str
    powered: bool


class ToHost(msgspec.Struct, frozen=True):
    """Effect: modem `name` gives its host a frame."""

    name: str
    data: bytes


class LinkIs(msgspec.Struct, frozen=True):
    """Effect: modem `name` shares its network with another one now, or no more."""

    name: str
    up: bool


class State(Enum):
    """The line is just there."""

    LAID = "laid"


@dataclass
class LineOptions:
    """How good the line is; may be changed at any time."""

    attenuation_dB: int = 20
    """Between modems without an entry of their own in `attenuations_dB`."""
    jitter_dB: int = 1
    loss: float = 0.0
    """Share of frames that do not arrive, 0 to 1."""
    limit_dB: int = 80
    """Modems with more attenuation between them do not receive each other."""
    join_s: float = 0.5
    """From the same key on both ends to the link."""
    reset_s: float = 1.0
    """How long a modem takes to start again."""


class Powerline(Machine):
    """Modems by name on one line. `attenuations_dB` holds what differs, by pairs of names (in any order)."""

    initial = State.LAID

    def __init__(
        self, modems: dict[str, Modem], options: LineOptions | None = None, chance: random.Random | None = None
    ) -> None:
        super().__init__()
        self.modems = modems
        self.options = options or LineOptions()
        self.attenuations_dB: dict[frozenset[str], int] = {}
        self._chance = chance or random.Random(0)
        self._links_due_s: dict[str, float] = {}
        self._back_s: dict[str, float] = {}

    def attenuation_dB(self, a: str, b: str) -> int:
        """Return the attenuation between two modems."""
        return self.attenuations_dB.get(frozenset((a, b)), self.options.attenuation_dB)

    @on(State.LAID, event=FromHost)
    def host_sends(self, event: FromHost, now: float) -> list[Any]:
        """Answer what is for the modem, carry the rest to the others."""
        modem = self.modems[event.name]
        if not modem.powered:
            return []
        try:
            frame = decode(event.data)
        except PeerError:
            return []  # a modem passes on what is well formed only
        modem.host = frame.source
        modem.partners = self._partners(event.name) if modem.link_up else []
        if not modem.is_for_me(frame):
            return self._carry(event.name, frame, event.data)
        effects: list[Any] = [ToHost(event.name, answer.encode()) for answer in modem.answer(frame)]
        if modem.reset_wanted:
            modem.reset_wanted, modem.powered = False, False
            self._back_s[event.name] = now + self.options.reset_s
        return effects + self._look_at_links(now)

    def _carry(self, sender: str, frame: Frame, data: bytes) -> list[Any]:
        effects: list[Any] = []
        for name, modem in self.modems.items():
            if name == sender or not modem.powered or not self._arrives(sender, name):
                continue
            if frame.destination[0] & GROUP_BIT or modem.host in (b"", frame.destination):
                effects.append(ToHost(name, data))
            if isinstance(frame.message, CmMnbcSoundInd) and modem.host:
                profile = CmAttenProfileInd(frame.source, attenuation_dB=self._measure(sender, name))
                effects.append(ToHost(name, modem.tell(profile).encode()))
        return effects

    def _arrives(self, sender: str, receiver: str) -> bool:
        if self.attenuation_dB(sender, receiver) > self.options.limit_dB:
            return False
        return self.options.loss == 0.0 or self._chance.random() >= self.options.loss

    def _measure(self, sender: str, receiver: str) -> bytes:
        middle, jitter = self.attenuation_dB(sender, receiver), self.options.jitter_dB
        return bytes(min(max(middle + self._chance.randint(-jitter, jitter), 0), 255) for _ in range(GROUPS))

    @on(State.LAID, event=Power)
    def power_changes(self, event: Power, now: float) -> list[Any]:
        """A modem without power leaves its network."""
        self.modems[event.name].powered = event.powered
        self._back_s.pop(event.name, None)
        return self._look_at_links(now)

    @on(State.LAID, timer="reset")
    def modems_are_back(self, now: float) -> list[Any]:
        """Power the modems whose reset is over."""
        for name, at in tuple(self._back_s.items()):
            if now >= at:
                del self._back_s[name]
                self.modems[name].powered = True
        return self._look_at_links(now)

    @on(State.LAID, timer="join")
    def links_come(self, now: float) -> list[Any]:
        """Bring up the links of modems that have shared a network for long enough."""
        return self._look_at_links(now)

    def _look_at_links(self, now: float) -> list[Any]:
        effects: list[Any] = []
        for name, modem in self.modems.items():
            if not self._partners(name):
                self._links_due_s.pop(name, None)
                if modem.link_up:
                    modem.link_up = False
                    effects.append(LinkIs(name, False))
            elif not modem.link_up and now >= self._links_due_s.setdefault(name, now + self.options.join_s):
                del self._links_due_s[name]
                modem.link_up = True
                effects.append(LinkIs(name, True))
        self._start_for_earliest("join", self._links_due_s)
        self._start_for_earliest("reset", self._back_s)
        return effects

    def _start_for_earliest(self, timer: str, due_s: dict[str, float]) -> None:
        if due_s:
            self.start(timer, min(due_s.values()))
        else:
            self.stop(timer)

    def _partners(self, name: str) -> list[bytes]:
        """Return the addresses of the modems that share the network of `name` and receive it."""
        modem = self.modems[name]
        if not modem.powered:
            return []
        return [
            other.mac
            for other_name, other in self.modems.items()
            if other_name != name
            and other.powered
            and (other.nid, other.nmk) == (modem.nid, modem.nmk)
            and self.attenuation_dB(name, other_name) <= self.options.limit_dB
        ]
