"""What a session looks like from outside: one state, energy and duration, from events and meter values.

Energy and duration count from TransactionStarted and stand still outside the charging states (EVerest, module API).
"""

from __future__ import annotations

from enum import StrEnum

from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum, StopTransactionReason
from chargebyte_fw.contracts.types.powermeter import Powermeter


class SessionState(StrEnum):
    """The states that integrators see."""

    Unknown = "Unknown"
    Unplugged = "Unplugged"
    Disabled = "Disabled"
    Preparing = "Preparing"
    Reserved = "Reserved"
    AuthRequired = "AuthRequired"
    ChargingPausedEV = "ChargingPausedEV"
    ChargingPausedEVSE = "ChargingPausedEVSE"
    Charging = "Charging"
    AuthTimeout = "AuthTimeout"
    Finished = "Finished"
    FinishedEVSE = "FinishedEVSE"
    FinishedEV = "FinishedEV"
    SwitchingPhases = "SwitchingPhases"
    """Only RpcApi tells this one."""


_E, _S = SessionEventEnum, SessionState
_STATE_AFTER = {
    _E.Enabled: _S.Unplugged,
    _E.SessionFinished: _S.Unplugged,
    _E.ReservationEnd: _S.Unplugged,
    _E.Disabled: _S.Disabled,
    _E.AuthRequired: _S.AuthRequired,
    _E.SessionStarted: _S.Preparing,
    _E.TransactionStarted: _S.Preparing,
    _E.PrepareCharging: _S.Preparing,
    _E.ChargingStarted: _S.Charging,
    _E.ChargingPausedEV: _S.ChargingPausedEV,
    _E.ChargingPausedEVSE: _S.ChargingPausedEVSE,
    _E.StoppingCharging: _S.FinishedEV,
    _E.ChargingFinished: _S.Finished,
    _E.PluginTimeout: _S.AuthTimeout,
    _E.ReservationStart: _S.Reserved,
}
"""TransactionFinished depends on its reason; an event that is not here keeps the state."""
_COUNTING = frozenset((_S.Charging, _S.ChargingPausedEV, _S.ChargingPausedEVSE, _S.SwitchingPhases))


def _export_Wh(meter: Powermeter) -> float:
    return meter.energy_Wh_export.total if meter.energy_Wh_export is not None else 0.0


class SessionInfo:
    """State, energy and duration of one EVSE's session. `tells_phase_switching`: SwitchingPhases is a state."""

    def __init__(self, *, tells_phase_switching: bool = False) -> None:
        self.state = SessionState.Unknown
        self.charged_energy_Wh = 0.0
        self.discharged_energy_Wh = 0.0
        self.latest_total_W = 0.0
        self._tells_phase_switching = tells_phase_switching
        self._first_import_Wh: float | None = None
        self._first_export_Wh = 0.0
        self._started_s: float | None = None
        self._duration_s = 0.0

    def take_event(self, event: SessionEvent, now: float) -> None:
        """Follow one session event at monotonic second `now`."""
        self._hold(now)
        kind = event.event
        if kind is _E.SessionStarted:
            self._clear()
        elif kind is _E.TransactionStarted and event.transaction_started is not None:
            self._clear()
            self._begin(event.transaction_started.meter_value, now)
        if kind is _E.TransactionFinished:
            reason = event.transaction_finished.reason if event.transaction_finished is not None else None
            self.state = _S.FinishedEVSE if reason is StopTransactionReason.Local else _S.Finished
            if event.transaction_finished is not None:
                self._count(event.transaction_finished.meter_value)
        elif kind is _E.SwitchingPhases and self._tells_phase_switching:
            self.state = _S.SwitchingPhases
        else:
            self.state = _STATE_AFTER.get(kind, self.state)

    def take_meter(self, value: Powermeter, now: float) -> None:
        """Follow one value of the billing meter."""
        self.latest_total_W = value.power_W.total if value.power_W is not None else 0.0
        if self.state in _COUNTING:
            self._count(value)
            self._hold(now)

    def duration_s(self, now: float) -> int:
        """Whole seconds since the transaction began; stands still outside the charging states."""
        self._hold(now)
        return int(self._duration_s)

    def _hold(self, now: float) -> None:
        if self.state in _COUNTING and self._started_s is not None:
            self._duration_s = now - self._started_s

    def _clear(self) -> None:
        self.charged_energy_Wh = self.discharged_energy_Wh = self._duration_s = 0.0
        self._first_import_Wh = self._started_s = None

    def _begin(self, meter: Powermeter, now: float) -> None:
        self._first_import_Wh = meter.energy_Wh_import.total
        self._first_export_Wh = _export_Wh(meter)
        self._started_s = now

    def _count(self, meter: Powermeter) -> None:
        if self._first_import_Wh is not None:
            self.charged_energy_Wh = max(0.0, meter.energy_Wh_import.total - self._first_import_Wh)
            self.discharged_energy_Wh = max(0.0, _export_Wh(meter) - self._first_export_Wh)
