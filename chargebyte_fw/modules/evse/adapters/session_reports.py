"""The session as others see it: session events, lines of the log and of the session log, the state of charging."""

from __future__ import annotations

import msgspec

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.evse.adapters.ev_info import EvInfoAdapter
from chargebyte_fw.modules.evse.adapters.node_red import Panel
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.logs import event_lines
from chargebyte_fw.modules.evse.logs.session_logger import SessionLogger
from chargebyte_fw.modules.evse.machine.effects import LogLine, PublishSessionEvent, SessionChanged
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.signals import StateEntered

BASIC = "IEC61851-1"
"""The protocol of a session before HLC has agreed on another one."""

KEPT = frozenset(
    (
        SessionEventEnum.SessionStarted,
        SessionEventEnum.TransactionStarted,
        SessionEventEnum.TransactionFinished,
        SessionEventEnum.ChargingPausedEVSE,
    )
)


class SessionReports:
    """Publishes and logs what the machines report of the session."""

    def __init__(
        self,
        module: Module,
        config: EvseConfig,
        evse: EvseManager,
        session_log: SessionLogger,
        ev_info: EvInfoAdapter,
        panel: Panel,
    ) -> None:
        self._module = module
        self._log = module.log
        self._config = config
        self._evse = evse
        self._session_log = session_log
        self._ev_info = ev_info
        self._panel = panel
        self._before = Charging.Idle
        self._logging_path: str | None = None
        self._present: list[SessionEvent] = []

    def line(self, effect: LogLine) -> None:
        """Log one line; what is more than information is in the session log, too."""
        getattr(self._log, effect.level)(effect.text)
        if effect.level != "info":
            self._session_log.line("EVSE", effect.text)

    def state(self, event: StateEntered) -> None:
        """Log, record and show the state of charging."""
        state = event.state
        self._session_log.write(event_lines.state_line(self._before, state))
        self._before = state
        self._panel.state(state)
        self._module.runtime.trace.record("state", self._module.id, state.value)
        if state in (Charging.Idle, Charging.Disabled):
            self._log.debug("state %s", state.value)

    def session(self, event: SessionChanged) -> None:
        """Begin or end a session: its log, what is known of the EV, the protocol."""
        self._ev_info.begin(session=bool(event.session_id))
        if event.session_id:
            self._log.session = event.session_id
            self._logging_path = self._session_log.begin(event.session_id)
            self._evse.selected_protocol.publish(BASIC)
            return
        self._evse.selected_protocol.publish("Unknown")
        self._session_log.end()
        self._log.session = ""

    def event(self, event: PublishSessionEvent) -> None:
        """Publish a session event, with what only the owner of clock and files knows: time and path of the log."""
        timestamp = rfc3339(utc_now())
        for value in event.extra.values():
            meter = getattr(value, "meter_value", None)
            if meter is not None and not meter.timestamp:
                value.meter_value = msgspec.structs.replace(meter, timestamp=timestamp)
        if event.event is SessionEventEnum.SessionStarted:
            event.extra["session_started"].logging_path = self._logging_path
        self._session_log.write(event_lines.event_line(event))
        published = SessionEvent(uuid=event.session_id, timestamp=timestamp, event=event.event, **event.extra)
        self._keep(published)
        self._evse.session_event.publish(published)
        self._log_event(event)

    def _keep(self, event: SessionEvent) -> None:
        """Keep what a status needs of the present session."""
        if event.event in (SessionEventEnum.SessionStarted, SessionEventEnum.SessionFinished):
            self._present.clear()
        if event.event in KEPT:
            self._present = [one for one in self._present if one.event is not event.event] + [event]

    @property
    def present(self) -> list[SessionEvent]:
        """The last event of each kind of the present session (`KEPT`), oldest first."""
        return self._present

    def _log_event(self, event: PublishSessionEvent) -> None:
        if event.event is SessionEventEnum.AuthRequired and not self._config.disable_authentication:
            self._log.info("waiting for an authorization")
        elif event.event is SessionEventEnum.ChargingStarted:
            self._log.info("charging")
        elif event.event in (SessionEventEnum.ChargingPausedEV, SessionEventEnum.StoppingCharging):
            self._log.info(event.event.value)
        elif event.event is SessionEventEnum.ChargingPausedEVSE:
            reasons = event.extra["charging_paused_evse"].reasons
            self._log.info("paused: %s", ", ".join(reason.value for reason in reasons))
