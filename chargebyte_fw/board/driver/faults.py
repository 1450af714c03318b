"""Which faults a CHARGE_STATE means (EVerest's errors of `evse_board_support` and `cb_temperatures`).

Faults follow the state: each look at it decides which of them hold now; the fault table raises and clears the rest.
"""

from __future__ import annotations

from typing import Any

from chargebyte_fw.board.driver.charge_state import AMPACITY, CHARGING, is_normal
from chargebyte_fw.board.driver.fault_table import FaultKey, FaultTable, Implementation
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeState,
    CpState,
    PpState,
    Pt1000State,
    RcmState,
    SafeStateReason,
)

_BOARD = Implementation.BOARD
_VENDOR_ERROR = "evse_board_support/VendorError"
_PILOT_FAULT = "evse_board_support/MREC14PilotFault"
_PROXIMITY_FAULT = "evse_board_support/MREC23ProximityFault"
COMMUNICATION = FaultKey(_BOARD, "evse_board_support/CommunicationFault")
STALLED = FaultKey(_BOARD, _VENDOR_ERROR, "Host stalled")
CONTACTOR = FaultKey(_BOARD, "evse_board_support/MREC17EVSEContactorFault")
WIRING = FaultKey(_BOARD, _VENDOR_ERROR, "Contactor wiring")
_DIODE = FaultKey(_BOARD, "evse_board_support/DiodeFault")

_EMERGENCY_INPUTS = range(SafeStateReason.EMERGENCY_INPUT_1, SafeStateReason.EMERGENCY_INPUT_3 + 1)
_WITH_OWN_FAULT = {
    SafeStateReason.PROXIMITY_PILOT_ERROR,
    SafeStateReason.CONTROL_PILOT_ERROR,
    SafeStateReason.CONTROL_PILOT_SHORT_CIRCUIT,
    SafeStateReason.CONTROL_PILOT_DIODE_NOT_DETECTED,
    SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION,
    SafeStateReason.RCM_TRIPPED,
    SafeStateReason.RCM_SELF_TEST_FAILED,
}
"""Reasons of a safe state that have a fault of their own."""


class BoardFaults:
    """The board's faults and what they remember beyond one state."""

    def __init__(self, table: FaultTable) -> None:
        self.contactor_failed = False
        """A contactor did not close on its order: nothing is switched any more until the next start."""
        self.contactor_closed = False
        """A contactor is closed without an order: nothing is switched until it is seen open."""
        self._table = table
        self._plug_removed = False
        """The plug was pulled while charging; ends with state A."""

    @property
    def contactor_unfit(self) -> bool:
        """Whether a contactor's fault keeps everything open."""
        return self.contactor_failed or self.contactor_closed

    def settle(self, group: str, key: FaultKey, text: str) -> list[Any]:
        """Raise a fault that is the only one of its group, or (`text` empty) clear it."""
        return self._table.settle(group, {key: text} if text else {})

    def contactors(self, refused: str, closed: str) -> list[Any]:
        """Take which contactor refused its order and which is closed without one; empty: none."""
        self.contactor_failed = self.contactor_failed or bool(refused)
        self.contactor_closed = bool(closed)
        if not self.contactor_unfit:
            return self.settle("contactor", CONTACTOR, "")
        before = self._table.raised("contactor").get(CONTACTOR)
        return self.settle("contactor", CONTACTOR, before or closed or refused)

    def pilot(self, state: ChargeState) -> list[Any]:
        """Take the faults of the control pilot."""
        wanted: dict[FaultKey, str] = {}
        if state.diode_fault:
            wanted[_DIODE] = "the car's diode is missing on the control pilot"
        if state.cp_short_circuit:
            wanted[FaultKey(_BOARD, _PILOT_FAULT, "CPShortFault")] = "the control pilot is shorted"
        if state.cp_state is CpState.INVALID:
            text = "the control pilot's voltage is out of range"
            wanted[FaultKey(_BOARD, _PILOT_FAULT, "CPOutOfRange")] = text
        return self._table.settle("pilot", wanted)

    def safe_state(self, state: ChargeState, tripped: bool) -> list[Any]:
        """Take why the controller is in its safe state. `tripped`: a residual current was seen."""
        reason = state.safe_state_reason
        stopped = "the safety controller has stopped charging"
        wanted: dict[FaultKey, str] = {}
        if reason in _EMERGENCY_INPUTS:
            key = FaultKey(_BOARD, "evse_board_support/MREC8EmergencyStop", reason.text)
            wanted[key] = f"{stopped}: {reason.text}"
        elif reason is not SafeStateReason.NO_SAFE_STATE and not self._has_own_fault(reason):
            wanted[FaultKey(_BOARD, _VENDOR_ERROR, reason.text)] = f"{stopped}: {reason.text}"
        elif not is_normal(state) and reason is SafeStateReason.NO_SAFE_STATE:
            text = "the safety controller is in its safe state and does not say why"
            wanted[FaultKey(_BOARD, _VENDOR_ERROR, "Safe State")] = text
        if tripped:
            text = SafeStateReason.RCM_TRIPPED.text
            wanted[FaultKey(_BOARD, _VENDOR_ERROR, text)] = f"{stopped}: {text}"
        elif state.rcm is RcmState.ERROR:
            text = SafeStateReason.RCM_SELF_TEST_FAILED.text
            wanted[FaultKey(_BOARD, _VENDOR_ERROR, text)] = "the residual current monitor has failed"
        return self._table.settle("safe state", wanted)

    def _has_own_fault(self, reason: SafeStateReason) -> bool:
        """Whether another fault is raised for this reason: a safe state is never without a fault of the board."""
        return reason in _WITH_OWN_FAULT and (bool(self._table.raised("pilot")) or self.contactor_failed)

    def proximity(self, state: ChargeState, before: ChargeState | None) -> list[Any]:
        """Take the faults of a socket's proximity pilot."""
        if state.cp_state is CpState.A:
            self._plug_removed = False
        elif before is not None and before.pp_state is not PpState.NO_CABLE and state.pp_state is PpState.NO_CABLE:
            self._plug_removed = self._plug_removed or state.cp_state in CHARGING
        wanted: dict[FaultKey, str] = {}
        if self._plug_removed:
            wanted[FaultKey(_BOARD, _PROXIMITY_FAULT, "PlugRemoval")] = "the plug was pulled while charging"
        if state.pp_state not in AMPACITY and state.cp_state is not CpState.A:
            text = f"the proximity pilot cannot be read ({state.pp_state.name})"
            wanted[FaultKey(_BOARD, _PROXIMITY_FAULT, "MeasurementError")] = text
        return self._table.settle("proximity", wanted)

    def temperatures(self, state: Pt1000State, names: tuple[str, ...]) -> list[Any]:
        """Take the faults of the temperature channels, by their configured names."""
        wanted: dict[FaultKey, str] = {}
        for name, (temperature_C, failed, stops) in zip(names, state.channels, strict=True):
            if stops:
                at = "" if temperature_C is None else f" at {temperature_C:.1f} °C"
                key = FaultKey(Implementation.TEMPERATURES, "cb_temperatures/ChargingAbort", name)
                wanted[key] = f"{name} stops charging{at}"
            if failed:
                key = FaultKey(Implementation.TEMPERATURES, "cb_temperatures/SelftestFailed", name)
                wanted[key] = f"{name} is not plausible"
        return self._table.settle("temperatures", wanted)
