"""What a change of CHARGE_STATE means to everybody else: events and faults, in a fixed order.

Faults follow the state: each look says which faults hold now, and what differs from before is raised or cleared.
Nothing is cleared that was not raised, and what is cleared is forgotten, so that it can be raised again.
"""

from __future__ import annotations

import logging
from typing import Any

from chargebyte_fw.board.driver.events import (
    Ampacity,
    BoardEvent,
    ClearFault,
    FaultKey,
    Implementation,
    Log,
    RaiseFault,
)
from chargebyte_fw.board.driver.safe_state_recovery import stopped
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeState,
    ContactorState,
    CpState,
    ErrorMessage,
    PpState,
    Pt1000State,
    RcmState,
    SafeStateActive,
    SafeStateReason,
)
from chargebyte_fw.board.link.messages.generations import Generation
from chargebyte_fw.contracts.types.board_support_common import BspEventEvent, ProximityPilotAmpacity

NAMESPACE = "evse_board_support"
BOARD, RCD, TEMPERATURES = Implementation.BOARD, Implementation.RCD, Implementation.TEMPERATURES
COMMUNICATION = FaultKey(BOARD, f"{NAMESPACE}/CommunicationFault")
STALLED = FaultKey(BOARD, f"{NAMESPACE}/VendorError", "Host stalled")
CONTACTOR = FaultKey(BOARD, f"{NAMESPACE}/MREC17EVSEContactorFault")
WIRING = FaultKey(BOARD, f"{NAMESPACE}/VendorError", "Contactor wiring")
SELF_TEST = FaultKey(RCD, "ac_rcd/Selftest")
RESIDUAL_CURRENT = FaultKey(RCD, "ac_rcd/DC")
PLUG_LOCK_MODULE = "APP_INLET"
_DIODE = FaultKey(BOARD, f"{NAMESPACE}/DiodeFault")
_PLUG_REMOVAL = FaultKey(BOARD, f"{NAMESPACE}/MREC23ProximityFault", "PlugRemoval")
_PP_MEASUREMENT = FaultKey(BOARD, f"{NAMESPACE}/MREC23ProximityFault", "MeasurementError")

_EMERGENCY_INPUTS = range(SafeStateReason.EMERGENCY_INPUT_1, SafeStateReason.EMERGENCY_INPUT_3 + 1)
_TOLD_OTHERWISE = {
    SafeStateReason.PROXIMITY_PILOT_ERROR,
    SafeStateReason.CONTROL_PILOT_ERROR,
    SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT,
    SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED,
    SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION,
    SafeStateReason.RCM_TRIPPED,
    SafeStateReason.RCM_SELF_TEST_FAILED,
}
"""Reasons that have a fault of their own."""

_AMPACITY = {
    PpState.NO_CABLE: ProximityPilotAmpacity.None_,
    PpState.A_13: ProximityPilotAmpacity.A_13,
    PpState.A_20: ProximityPilotAmpacity.A_20,
    PpState.A_32: ProximityPilotAmpacity.A_32,
    PpState.A_63_3PH_70_1PH: ProximityPilotAmpacity.A_63_3ph_70_1ph,
}
_CHARGING = (CpState.C, CpState.D)
_PLUGGED = (CpState.B, CpState.C, CpState.D)


def pp_is_measurable(pp: PpState) -> bool:
    """Whether a socket can tell what the cable may carry."""
    return pp in _AMPACITY


def configured(state: ChargeState) -> list[ContactorState]:
    """Return what the contactors say that exist and are known."""
    return [one for one in state.contactors if one in (ContactorState.OPEN, ContactorState.CLOSED)]


def any_closed(state: ChargeState) -> bool:
    """Whether any contactor is closed."""
    return ContactorState.CLOSED in state.contactors


class Notices:
    """The memory of what was told. `socket`: the cable can be taken off, so the proximity pilot counts."""

    def __init__(self, socket: bool) -> None:
        self.socket = socket
        self.contactor_failed = False
        """A contactor did not follow: nothing is switched any more until the next start."""
        self.contactor_closed = False
        """A contactor is closed without an order: nothing is switched until it is seen open."""
        self.self_test_running = False
        self.tripped = False
        """A residual current was seen: no way to power until the car is gone or `ac_rcd.reset` was ordered."""
        self._plugged: bool | None = None
        """Whether a car was there when the pilot told last; None before it did."""
        self._raised: dict[str, dict[FaultKey, str]] = {}
        self._warnings: dict[str, set[int]] = {}
        self._plug_removed = False
        self.forget()

    def forget(self) -> None:
        """The controller begins anew: nothing that it said before counts. Faults stay until it has spoken."""
        self._told_cp: CpState | None = None
        self._told_power: bool | None = None
        self._told_contactors: tuple[ContactorState, ...] | None = None
        self._told_pp: PpState | None = None
        self.self_test_running = False
        self._saw_self_test = False

    def emergency(self, state: ChargeState) -> bool:
        """Whether the controller needs a reset before anything goes on."""
        unreadable = self.socket and not pp_is_measurable(state.pp_state)
        return state.safe_state_active is not SafeStateActive.NORMAL or unreadable

    def unfit(self, state: ChargeState) -> str:
        """Say why nothing may be switched on in this state; empty: it may."""
        if state.safe_state_active is not SafeStateActive.NORMAL:
            return f"the safety controller is in its safe state ({state.safe_state_reason.text})"
        if self.emergency(state):
            return "the cable's proximity pilot cannot be read"
        if stopped(state):
            return "an emergency input is tripped"
        if self.tripped:
            return "the residual current monitor has tripped; unplug the car, or order ac_rcd.reset"
        if state.rcm is RcmState.ERROR:
            return "the residual current monitor has failed"
        if state.diode_fault or state.cp_short_circuit or state.cp_state is CpState.INVALID:
            return "the control pilot is faulty"
        return ""

    def look(self, state: ChargeState, permitted: bool, expect_e: bool, closing: bool = False) -> list[Any]:
        """Return what there is to tell about `state`.

        `permitted`: contactors asked for; `expect_e`: E was ordered; `closing`: not all contactors on the way to the
        car have been closed yet.
        """
        self._follow_trip(state)
        return [
            *self._pilot_faults(state),
            *self._contactors(state, permitted, closing),
            *self._safe_state(state),
            *self._residual_current(state),
            *(self._proximity(state) if self.socket else ()),
            *self._pilot(state, expect_e),
        ]

    def _follow_trip(self, state: ChargeState) -> None:
        """A reset of the controller alone must not lead back onto the same leak (no automatic re-closing)."""
        if state.safe_state_reason is SafeStateReason.RCM_TRIPPED or self._leaks(state):
            self.tripped = True
        elif (state.cp_state is CpState.A or self._plugged is False) and state.rcm is not RcmState.ERROR:
            # State F, which a fault brings, hides that there is no car: what was seen last counts.
            self.tripped = False
        if state.cp_state is CpState.A:
            self._plugged = False
        elif state.cp_state in _PLUGGED:
            self._plugged = True

    def _leaks(self, state: ChargeState) -> bool:
        """Whether the monitor reports a residual current by itself, without the controller's safe state."""
        if state.rcm is not RcmState.ERROR or state.safe_state_reason is SafeStateReason.RCM_SELF_TEST_FAILED:
            return False
        known = (*self._raised.get("residual current", {}), *self._raised.get("self test", {}))
        return not self.self_test_running and SELF_TEST not in known

    def settle(self, group: str, wanted: dict[FaultKey, str]) -> list[Any]:
        """Make `wanted` the faults of one group: raise what is new, clear what is over."""
        before = self._raised.get(group, {})
        self._raised[group] = wanted
        over = [ClearFault(key) for key in before if key not in wanted]
        return over + [RaiseFault(key, text) for key, text in wanted.items() if key not in before]

    def _pilot_faults(self, state: ChargeState) -> list[Any]:
        wanted: dict[FaultKey, str] = {}
        if state.diode_fault:
            wanted[_DIODE] = "the car's diode is missing on the control pilot"
        pilot = f"{NAMESPACE}/MREC14PilotFault"
        if state.cp_short_circuit:
            wanted[FaultKey(BOARD, pilot, "CPShortFault")] = "the control pilot is shorted"
        if state.cp_state is CpState.INVALID:
            wanted[FaultKey(BOARD, pilot, "CPOutOfRange")] = "the control pilot's voltage is out of range"
        return self.settle("pilot", wanted)

    def _contactors(self, state: ChargeState, permitted: bool, closing: bool) -> list[Any]:
        effects: list[Any] = []
        if state.contactor_fault:
            effects += self.contactors_are("a contactor did not follow its order", "")
        known = configured(state)
        if known:
            power: bool | None = any_closed(state)
            if power and closing and not self._told_power:
                power = None  # the one in series is closed; the way to the car is not
        elif all(one is ContactorState.UNUSED for one in state.contactors):
            power = state.hv_ready and permitted
        else:
            power = None  # nothing is known of contactors that exist
        if state.contactors != self._told_contactors:
            self._told_contactors = state.contactors
            effects.append(Log(logging.DEBUG, "contactors: %s", (", ".join(c.name for c in state.contactors),)))
        if power is not None and power is not self._told_power:
            self._told_power = power
            effects.append(BoardEvent(BspEventEvent.PowerOn if power else BspEventEvent.PowerOff))
        return effects

    @property
    def contactor_unfit(self) -> bool:
        """Whether a contactor's fault keeps everything open."""
        return self.contactor_failed or self.contactor_closed

    def contactors_are(self, refused: str, closed: str) -> list[Any]:
        """Take which contactor refused its order and which is closed without one; empty: none."""
        self.contactor_failed = self.contactor_failed or bool(refused)
        self.contactor_closed = bool(closed)
        if not self.contactor_unfit:
            return self.settle("contactor", {})
        before = self._raised.get("contactor", {})
        return self.settle("contactor", {CONTACTOR: before.get(CONTACTOR) or closed or refused})

    def _safe_state(self, state: ChargeState) -> list[Any]:
        reason = state.safe_state_reason
        wanted: dict[FaultKey, str] = {}
        if reason in _EMERGENCY_INPUTS:
            stop = FaultKey(BOARD, f"{NAMESPACE}/MREC8EmergencyStop", reason.text)
            wanted[stop] = f"the safety controller has stopped charging: {reason.text}"
        elif reason is not SafeStateReason.NO_SAFE_STATE and not self._is_told(reason):
            error = FaultKey(BOARD, f"{NAMESPACE}/VendorError", reason.text)
            wanted[error] = f"the safety controller has stopped charging: {reason.text}"
        elif state.safe_state_active is not SafeStateActive.NORMAL and reason is SafeStateReason.NO_SAFE_STATE:
            wanted[FaultKey(BOARD, f"{NAMESPACE}/VendorError", "Safe State")] = (
                "the safety controller is in its safe state and does not say why"
            )
        if state.rcm is RcmState.ERROR and not self.tripped:
            failed = SafeStateReason.RCM_SELF_TEST_FAILED.text
            wanted[FaultKey(BOARD, f"{NAMESPACE}/VendorError", failed)] = "the residual current monitor has failed"
        if self.tripped:
            tripped = SafeStateReason.RCM_TRIPPED.text
            wanted[FaultKey(BOARD, f"{NAMESPACE}/VendorError", tripped)] = (
                f"the safety controller has stopped charging: {tripped}"
            )
        return self.settle("safe state", wanted)

    def _is_told(self, reason: SafeStateReason) -> bool:
        """Whether a fault of its own already says so: a safe state never stays without a fault of the board."""
        if reason not in _TOLD_OTHERWISE:
            return False
        return bool(self._raised.get("pilot")) or self.contactor_failed

    def _residual_current(self, state: ChargeState) -> list[Any]:
        before = self._raised.get("residual current", {})
        wanted = before
        if state.rcm is RcmState.SELF_TEST_RUNNING:
            self._saw_self_test = True
        elif state.rcm is RcmState.ERROR:
            if not before:
                wanted = (
                    {SELF_TEST: "the residual current monitor failed its self-test"}
                    if self.self_test_running
                    else {RESIDUAL_CURRENT: "the residual current monitor has tripped"}
                )
            self.self_test_running = False
        else:
            wanted = before if self.tripped else {}
            if self._saw_self_test:
                self.self_test_running = self._saw_self_test = False
        return self.settle("residual current", wanted)

    def _proximity(self, state: ChargeState) -> list[Any]:
        pp, before = state.pp_state, self._told_pp
        self._told_pp = pp
        wanted: dict[FaultKey, str] = {}
        if state.cp_state is CpState.A:
            self._plug_removed = False
        elif before not in (None, PpState.NO_CABLE) and pp is PpState.NO_CABLE and state.cp_state in _CHARGING:
            self._plug_removed = True
        if self._plug_removed:
            wanted[_PLUG_REMOVAL] = "the plug was pulled while charging"
        if not pp_is_measurable(pp) and state.cp_state is not CpState.A:
            wanted[_PP_MEASUREMENT] = f"the proximity pilot cannot be read ({pp.name})"
        effects = self.settle("proximity", wanted)
        if pp is not before and pp in _AMPACITY:
            effects.append(Ampacity(_AMPACITY[pp]))
        return effects

    def _pilot(self, state: ChargeState, expect_e: bool) -> list[Any]:
        cp = state.cp_state
        if cp in (CpState.UNKNOWN, CpState.INVALID) or cp is self._told_cp:
            return []
        if cp is CpState.E and self._told_cp is None and not expect_e:
            return []  # a controller that has just been reset holds E until our first frame
        self._told_cp = cp
        return [BoardEvent(BspEventEvent(cp.name))]

    def temperatures(self, state: Pt1000State, names: tuple[str, ...]) -> list[Any]:
        """Return the faults of the temperature channels, named as configured."""
        wanted: dict[FaultKey, str] = {}
        for name, (temperature_C, failed, stops) in zip(names, state.channels, strict=True):
            if stops:
                at = "" if temperature_C is None else f" at {temperature_C:.1f} °C"
                wanted[FaultKey(TEMPERATURES, "cb_temperatures/ChargingAbort", name)] = f"{name} stops charging{at}"
            if failed:
                wanted[FaultKey(TEMPERATURES, "cb_temperatures/SelftestFailed", name)] = f"{name} is not plausible"
        return self.settle("temperatures", wanted)

    def error_message(self, error: ErrorMessage, generation: Generation) -> list[Any]:
        """Return what an error message raises or clears: one warning a module while any of its reasons is active."""
        module, text = generation.error_text(error)
        if module == PLUG_LOCK_MODULE:
            return []  # faults of the plug lock (plug_lock.py)
        reasons = self._warnings.setdefault(module, set())
        if error.active is (error.reason in reasons):
            return []
        if error.active:
            reasons.add(error.reason)
        else:
            reasons.discard(error.reason)
        data = ", ".join(str(one) for one in (error.data_1, error.data_2) if one is not None)
        text = f"{module}: {text} [{data}]" if data else f"{module}: {text}"
        said = Log(logging.WARNING, "safety controller %s: %s", ("reports" if error.active else "takes back", text))
        return [said, *self._settle_warnings(text)]

    def forget_warnings(self) -> list[Any]:
        """The controller is well again or has begun anew: its error messages are void."""
        self._warnings.clear()
        return self._settle_warnings("")

    def _settle_warnings(self, text: str) -> list[Any]:
        keys = [FaultKey(BOARD, f"{NAMESPACE}/VendorWarning", name) for name, seen in self._warnings.items() if seen]
        before = self._raised.get("warnings", {})
        return self.settle("warnings", {key: before.get(key, text) for key in keys})
