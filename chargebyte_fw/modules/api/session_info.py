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
    """A state of RpcApi only."""


_E, _S = SessionEventEnum, SessionState
_IN_SESSION = {
    _E.TransactionStarted: _S.Preparing,
    _E.PrepareCharging: _S.Preparing,
    _E.ChargingStarted: _S.Charging,
    _E.ChargingPausedEV: _S.ChargingPausedEV,
    _E.ChargingPausedEVSE: _S.ChargingPausedEVSE,
    _E.StoppingCharging: _S.FinishedEV,
    _E.ChargingFinished: _S.Finished,
    _E.PluginTimeout: _S.AuthTimeout,
}
"""The state of a session after these events; after the others it depends on what is known besides."""
_COUNTING = frozenset((_S.Charging, _S.ChargingPausedEV, _S.ChargingPausedEVSE, _S.SwitchingPhases))


def _export_Wh(meter: Powermeter) -> float:
    return meter.energy_Wh_export.total if meter.energy_Wh_export is not None else 0.0


class SessionInfo:
    """State, energy and duration of one EVSE's session. `phase_switching_is_a_state`: SwitchingPhases is a state.

    `state` follows from what is known of EVSE and session, not from the last event alone: an EVSE that is enabled, or
    whose reservation ends, while an EV is plugged in is not free.
    """

    def __init__(self, *, phase_switching_is_a_state: bool = False) -> None:
        self.charged_energy_Wh = 0.0
        self.discharged_energy_Wh = 0.0
        self.latest_total_W = 0.0
        self._phase_switching_is_a_state = phase_switching_is_a_state
        self._known = False
        """Whether any event has come."""
        self._disabled = False
        self._reserved = False
        self._authorized = False
        self._transaction = False
        self._resumed = False
        """The transaction of an earlier run is being ended: there is no session now."""
        self._in_session: SessionState | None = None
        """State of the session, None without one."""
        self._first_import_Wh: float | None = None
        self._first_export_Wh = 0.0
        self._started_s: float | None = None
        self._duration_s = 0.0

    @property
    def state(self) -> SessionState:
        """What integrators see."""
        if self._in_session is not None:
            return self._in_session
        if not self._known:
            return _S.Unknown
        if self._disabled:
            return _S.Disabled
        return _S.Reserved if self._reserved else _S.Unplugged

    def take_event(self, event: SessionEvent, now: float) -> None:
        """Follow one session event at monotonic second `now`."""
        self._hold(now)
        self._count_event(event, now)
        of_earlier_run = event.event is _E.SessionResumed or (self._resumed and event.event is _E.TransactionFinished)
        self._known = self._known or not of_earlier_run
        match event.event:
            case _E.Enabled | _E.Disabled:
                self._disabled = event.event is _E.Disabled
                if self._disabled:
                    self._in_session = None
            case _E.ReservationStart | _E.ReservationEnd:
                self._reserved = event.event is _E.ReservationStart
            case _E.SessionResumed:
                self._resumed = True
            case _E.SessionFinished:
                self._in_session, self._authorized, self._transaction = None, False, False
            case _:
                self._in_session = self._session_after(event)

    def _session_after(self, event: SessionEvent) -> SessionState | None:
        before = self._in_session
        match event.event:
            case _E.SessionStarted:
                self._authorized = event.session_started is not None and event.session_started.id_tag is not None
                self._reserved = self._transaction = self._resumed = False
                return _S.Preparing
            case _E.AuthRequired:
                return _S.Preparing if self._authorized else _S.AuthRequired
            case _E.Authorized:
                self._authorized = True
                return _S.Preparing if before in (None, _S.AuthRequired, _S.AuthTimeout) else before
            case _E.Deauthorized:
                self._authorized = False
                return _S.AuthRequired if before in (None, _S.Preparing) and not self._transaction else before
            case _E.SwitchingPhases:
                return _S.SwitchingPhases if self._phase_switching_is_a_state else before or _S.Charging
            case _E.TransactionFinished:
                self._transaction = False
                if self._resumed:
                    self._resumed = False
                    return before
                reason = event.transaction_finished.reason if event.transaction_finished is not None else None
                return _S.FinishedEVSE if reason is StopTransactionReason.Local else _S.Finished
        if event.event is _E.TransactionStarted:
            self._transaction = True
        return _IN_SESSION.get(event.event, before)

    def _count_event(self, event: SessionEvent, now: float) -> None:
        if event.event is _E.SessionStarted:
            self._clear()
        elif event.transaction_started is not None:
            self._clear()
            self._begin(event.transaction_started.meter_value, now)
        elif event.transaction_finished is not None:
            self._count(event.transaction_finished.meter_value)

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
