"""ISO 15118-20, SessionStop (clause 8.3.4.3): end, pause, and the way back to the services."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.secc.facts import PausedIso20Session
from chargebyte_fw.modules.v2g.secc.iso20.base import Iso20Base
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State
from chargebyte_fw.modules.v2g.secc.iso20.setup import vehicle_hash
from chargebyte_fw.modules.v2g.secc.protocol import Answer

_NAME = "SessionStopReq"
_MAY_PAUSE = frozenset(
    {State.CABLE_CHECK, State.PRECHARGE, State.PRECHARGING, State.POWER_DELIVERY, State.STOPPED, State.WELDING}
)
"""Where schedule and parameters are agreed."""


class Stop(Iso20Base):
    """The end of a session."""

    def on_SessionStopReq(self, request: m.SessionStopReq, now: float) -> Answer:
        """End or pause the session, or let the car choose other services in it."""
        self._publish_termination(request)
        kinds = m.chargingSessionType
        match request.ChargingSession:
            case kinds.ServiceRenegotiation:
                return self._go_back_to_services()
            case kinds.Pause:
                return self._pause()
        self.enter(State.ENDED)
        self.facts.iso20.paused = None
        answer = self.ok(m.SessionStopRes)
        answer.end = "terminate"
        return answer

    def _publish_termination(self, request: m.SessionStopReq) -> None:
        code, why = request.EVTerminationCode, request.EVTerminationExplanation
        if code is None and why is None:
            return
        self.log(f"the car ends with {code or 'no code'}: {why or 'no explanation'}")
        termination = iso15118.EvTermination(ev_termination_code=code, ev_termination_explanation=why)
        self.publish(Iso15118Charger.ev_termination, termination)

    def _go_back_to_services(self) -> Answer:
        # [V2G20-1477]: session id, authorization and connection stay.
        if not self.options.service_renegotiation:
            return self.failed(_NAME, "FAILED_NoServiceRenegotiationSupported", "it was not offered")
        if self.energy is None:
            return self.failed(_NAME, "FAILED_SequenceError", "other services before any was selected")
        self.enter(State.SERVICE_DISCOVERY)
        self.energy.power_off()
        self.energy = None
        self.in_loop = False
        self.forget_session_telemetry()
        self.log("the car goes back to the services")
        return self.ok(m.SessionStopRes)

    def forget_session_telemetry(self) -> None:
        """Publish the next values even if they are the last ones again: they belong to another energy transfer."""
        for variable in (Iso15118Charger.dc_ev_target_voltage_current, Iso15118Charger.dc_ev_maximum_limits):
            self.forget_published(variable)

    def _pause(self) -> Answer:
        if self.state not in _MAY_PAUSE or self.energy is None:
            return self.failed(_NAME, "FAILED_PauseNotAllowed", "a pause before the schedule is agreed")
        self.enter(State.ENDED)
        certificate = self.context.security.peer_certificate
        selection = self.energy.selection
        if certificate is not None:
            self.facts.iso20.paused = PausedIso20Session(
                self.session_id,
                vehicle_hash(self.session_id, certificate),
                int(selection.service),
                selection.set_id,
                selection.parameters,
                self.others,
            )
        answer = self.ok(m.SessionStopRes)
        answer.end = "pause"
        return answer
