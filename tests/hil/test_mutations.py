"""A scenario that cannot fail proves nothing: each reaction is broken here, and its scenario must say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.board import timing as board
from chargebyte_fw.board.driver.fault_table import RaiseFault
from chargebyte_fw.board.driver.faults import BoardFaults
from chargebyte_fw.board.link.messages import framing
from chargebyte_fw.board.link.messages.charge_som import SafeStateReason
from chargebyte_fw.modules.evse.machine import bcb, energy_node
from chargebyte_fw.modules.evse.machine import timing as evse
from chargebyte_fw.modules.evse.machine.ac import pwm
from chargebyte_fw.modules.v2g import timing as v2g
from chargebyte_fw.sim import mcu
from chargebyte_fw.sim.mcu import VirtualMcu
from hil.judge import Verdict
from tests.hil.bench import run, shipped

Break = Callable[[pytest.MonkeyPatch], None]


def deaf_to(*reasons: SafeStateReason) -> Break:
    """A safety controller that does not go to its safe state for these reasons."""

    def break_it(patch: pytest.MonkeyPatch) -> None:
        real = VirtualMcu._fault

        def fault(self: VirtualMcu) -> SafeStateReason | None:
            reason = real(self)
            return None if reason in reasons else reason

        patch.setattr(VirtualMcu, "_fault", fault)

    return break_it


def other(owner: Any, name: str, value: Any) -> Break:
    """Another constant or method."""
    return lambda patch: patch.setattr(owner, name, value)


def mute(method: str) -> Break:
    """A driver that sees something and raises no fault for it."""

    def break_it(patch: pytest.MonkeyPatch) -> None:
        real = getattr(BoardFaults, method)

        def told(self: BoardFaults, *arguments: Any) -> list[Any]:
            return [one for one in real(self, *arguments) if not isinstance(one, RaiseFault)]

        patch.setattr(BoardFaults, method, told)

    return break_it


def deaf_after_bad_frames(patch: pytest.MonkeyPatch) -> None:
    """A receiver that gives up after a few disturbed frames."""
    real = framing.Receiver.feed

    def feed(self: framing.Receiver, data: bytes) -> list[framing.Frame]:
        frames = real(self, data)
        return frames if self.bad_frames < 4 else []

    patch.setattr(framing.Receiver, "feed", feed)


BROKEN: dict[str, tuple[str, Break]] = {
    "the diode is not looked at": ("basic-diode-fault", deaf_to(SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED)),
    "a short is no reason": ("iso2-pilot-short", deaf_to(SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT)),
    "a short is no reason, AC": ("basic-pilot-short", deaf_to(SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT)),
    "heat is no reason": ("iso2-over-temperature", deaf_to(SafeStateReason.TEMPERATURE_1_OVER_TEMPERATURE)),
    "a broken sensor is no reason": ("din-sensor-broken", deaf_to(SafeStateReason.TEMPERATURE_2_MALFUNCTION)),
    "a leak is no reason": ("basic-residual-current", deaf_to(SafeStateReason.RCM_TRIPPED)),
    "the monitor trips too late": ("basic-residual-current-at-the-limit", other(mcu, "RCM_TRIP_MA", 10.0)),
    "the monitor trips too early": ("basic-small-residual-current", other(mcu, "RCM_TRIP_MA", 2.0)),
    "a welded contactor is not told": ("iso2-contactor-welded", mute("contactors")),
    "a contactor that does not close is not told": ("basic-contactor-stuck", mute("contactors")),
    "an unreadable proximity pilot is not told": ("basic-proximity-fault", mute("proximity")),
    "a pulled cable is not told": ("basic-plug-pulled-at-the-socket", mute("proximity")),
    "the safe state is not told": ("basic-emergency-stop", mute("safe_state")),
    "a lost link is noticed too late": ("iso2-uart-cut", other(board, "RECEIVE_TIMEOUT_S", 3.0)),
    "a slow link counts as lost": ("iso2-uart-sluggish", other(board, "RECEIVE_TIMEOUT_S", 0.25)),
    "a lost link stays lost": ("iso2-uart-late", other(board, "RECONNECT_PAUSES_S", (60.0,))),
    "a few bad frames are too many": ("iso2-uart-noise", deaf_after_bad_frames),
    "the controller does not miss its host": ("basic-host-frozen", other(mcu, "HOST_SILENCE_S", 60.0)),
    "a silent car is waited for too long": ("iso2-car-silent", other(v2g, "V2G_SECC_SEQUENCE_TIMEOUT_S", 90.0)),
    "a silent car is not waited for": ("din-car-silent", other(v2g, "V2G_SECC_SEQUENCE_TIMEOUT_S", 20.0)),
    "state F is too short": ("iso2-no-matching", other(evse, "T_STEP_EF_S", 2.0)),
    "a stubborn car is waited for too long": ("basic-car-ignores-the-stop", other(evse, "POWER_OFF_UNDER_LOAD_S", 9.0)),
    "a stubborn car is not waited for": ("basic-car-ignores-the-stop", other(evse, "POWER_OFF_UNDER_LOAD_S", 2.0)),
    "a toggle wakes nobody": ("iso2-car-pauses", other(bcb.BcbToggle, "complete", lambda *_arguments: False)),
    "there is no duty cycle for 16 A": ("basic-session", other(pwm, "MIN_CURRENT_A", 99.0)),
    "a cable carries everything": (
        "basic-cable-limits",
        other(energy_node, "AMPACITY_A", dict.fromkeys(energy_node.AMPACITY_A, 32.0)),
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_reaction_is_found(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, break_it = BROKEN[what]
    break_it(monkeypatch)
    (result,) = run(shipped(name))
    assert result.verdict in (Verdict.WRONG, Verdict.LATE), (result.verdict, result.note)
