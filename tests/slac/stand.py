"""A charger's machine on a test stand: time is given, the modem is played by the test, effects are sorted by kind."""

from __future__ import annotations

from typing import Any, TypeVar

from chargebyte_fw.contracts.types.slac import State as Published
from chargebyte_fw.kernel.machine import Machine
from chargebyte_fw.modules.slac.declare import Mme
from chargebyte_fw.modules.slac.keys import nid_from_nmk
from chargebyte_fw.modules.slac.machine.events import EnterBcd, LinkUp, Report, Send, StateIs
from chargebyte_fw.modules.slac.machine.evse import EvseSlac
from chargebyte_fw.modules.slac.machine.modem import EvseOptions, State
from chargebyte_fw.modules.slac.messages import (
    BROADCAST,
    GROUPS,
    MODEM_MAC,
    CmAttenCharRsp,
    CmAttenProfileInd,
    CmMnbcSoundInd,
    CmSetKeyCnf,
    CmSlacMatchReq,
    CmSlacParmReq,
    CmStartAttenCharInd,
    Frame,
)

EVSE = bytes.fromhex("0200000000e5")
EV = bytes.fromhex("0200000000c1")
RUN_ID = b"\1\2\3\4\5\6\7\x08"
KEYS = [bytes([65 + n]) * 16 for n in range(8)]
"""The keys that the charger makes, in this order."""
M = TypeVar("M")


class Stand:
    """Feeds a machine and remembers every effect."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.now = 100.0
        self.effects: list[Any] = []

    def feed(self, event: Any) -> list[Any]:
        """Give an event; returns its effects."""
        effects = self.machine.feed(event, self.now)
        self.effects += effects
        return effects

    def wait(self, seconds: float) -> list[Any]:
        """Let time pass, waking the machine whenever it wants to be woken; returns the effects."""
        until = self.now + seconds
        effects: list[Any] = []
        while self.machine.deadline is not None and self.machine.deadline <= until + 1e-9:
            self.now = max(self.now, self.machine.deadline)
            effects += self.machine.wake(self.now)
        self.now = until
        self.effects += effects
        return effects

    def take(self, kind: type[M]) -> list[M]:
        """Return the effects of one kind so far and forget all."""
        found = [effect for effect in self.effects if isinstance(effect, kind)]
        self.effects.clear()
        return found


class Charger(Stand):
    """The charger, its modem and one car, all by hand."""

    machine: EvseSlac

    def __init__(self, options: EvseOptions | None = None) -> None:
        keys = iter(KEYS)
        super().__init__(EvseSlac(options, lambda: next(keys)))

    @property
    def state(self) -> State:
        state: State = self.machine.state  # type: ignore[assignment]
        return state

    def from_modem(self, message: Mme) -> list[Any]:
        """The modem says something."""
        return self.feed(Frame(EVSE, MODEM_MAC, message))

    def from_ev(self, message: Mme, ev: bytes = EV, to: bytes = EVSE) -> list[Any]:
        """The car says something."""
        return self.feed(Frame(to, ev, message))

    def start(self) -> Charger:
        """Interface there, no vendor told, key confirmed: idle."""
        self.feed(LinkUp(EVSE))
        self.wait(0.2)
        self.from_modem(CmSetKeyCnf())
        assert self.state is State.IDLE
        return self

    def plugged(self) -> Charger:
        """Idle, then a car is plugged in."""
        self.start()
        self.feed(EnterBcd())
        assert self.state is State.MATCHING
        self.effects.clear()
        return self

    def ask(self, ev: bytes = EV, run_id: bytes = RUN_ID) -> list[Any]:
        """The car asks for parameters."""
        return self.from_ev(CmSlacParmReq(run_id=run_id), ev, BROADCAST)

    def begin_sounding(self, ev: bytes = EV, run_id: bytes = RUN_ID) -> None:
        """The car says three times that it begins."""
        for _ in range(3):
            self.from_ev(CmStartAttenCharInd(forwarding_station=ev, run_id=run_id), ev, BROADCAST)

    def sound(self, count: int = 10, dB: int = 20, ev: bytes = EV, run_id: bytes = RUN_ID) -> None:
        """The car sounds, the modem measures the same in every group."""
        for left in reversed(range(count)):
            self.from_ev(CmMnbcSoundInd(remaining_sounds=left, run_id=run_id), ev, BROADCAST)
            self.from_modem(CmAttenProfileInd(ev, attenuation_dB=bytes([dB]) * GROUPS))

    def confirm_profile(self, ev: bytes = EV, run_id: bytes = RUN_ID) -> list[Any]:
        """The car got its profile."""
        return self.from_ev(CmAttenCharRsp(source_address=ev, run_id=run_id), ev)

    def choose(self, ev: bytes = EV, run_id: bytes = RUN_ID) -> list[Any]:
        """The car chooses this charger."""
        return self.from_ev(CmSlacMatchReq(pev_mac=ev, evse_mac=EVSE, run_id=run_id), ev)

    def until_choice(self, ev: bytes = EV, run_id: bytes = RUN_ID) -> None:
        """The whole match but for the choice."""
        self.ask(ev, run_id)
        self.begin_sounding(ev, run_id)
        self.sound(ev=ev, run_id=run_id)
        self.wait(0.05)
        self.confirm_profile(ev, run_id)

    def matched(self) -> Charger:
        """A car is matched."""
        self.plugged()
        self.until_choice()
        self.choose()
        return self

    def published(self) -> list[Published]:
        """Return the states published so far and forget all effects."""
        return [effect.state for effect in self.take(StateIs)]


def sent(effects: list[Any], kind: type[M]) -> list[M]:
    """Return the messages of one kind among the frames that are sent."""
    return [e.frame.message for e in effects if isinstance(e, Send) and isinstance(e.frame.message, kind)]


def lines(effects: list[Any], level: int) -> list[str]:
    """Return the log lines of a level."""
    return [effect.text for effect in effects if isinstance(effect, Report) and effect.level == level]


def nid(key: bytes) -> bytes:
    """Return the network identifier of a key."""
    return nid_from_nmk(key)
