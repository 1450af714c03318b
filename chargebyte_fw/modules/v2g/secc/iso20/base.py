"""What every request of ISO 15118-20 goes through: session, sequence, refusal, header, time of the next request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.machine import MachineError
from chargebyte_fw.modules.v2g.messages import iso20_types
from chargebyte_fw.modules.v2g.messages.iso20_types import responseCodeType
from chargebyte_fw.modules.v2g.secc.effects import SelectServices
from chargebyte_fw.modules.v2g.secc.iso20.energy import Iso20EnergyService, Service
from chargebyte_fw.modules.v2g.secc.iso20.refusals import refusal
from chargebyte_fw.modules.v2g.secc.iso20.sequence import (
    NO_EARLY_STOP,
    PARKING,
    SCHEDULE_STREAM,
    SETUP,
    Sequence,
    SideState,
    State,
)
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, Outline, Request, SessionContext
from chargebyte_fw.modules.v2g.secc.session_output import SessionOutput
from chargebyte_fw.modules.v2g.timing import V2G_SECC_SEQUENCE_TIMEOUT_S

Handler = Callable[[Any, float], "Answer | Deferred"]
WINDING_DOWN = ("PowerDeliveryReq", "DC_WeldingDetectionReq", "SessionStopReq")
"""Requests by which a car ends its session: answered also when everything else is refused."""


class Iso20Base(SessionOutput):
    """One session. The subclasses have a method `on_<Request>` for each request, and so has the energy service."""

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context.settings)
        self.context = context
        self.facts = context.facts
        self.options = context.settings.iso20
        self.environment = context.environment
        self.state = State.SESSION_SETUP
        self.side = SideState.IDLE
        """What the stream of schedule renegotiation waits for."""
        self.session_id = bytes(8)
        self.refuse_all = False
        self.request = Request("", b"", None, None)
        """The request that is being answered."""
        self.energy: Iso20EnergyService | None = None
        """The service that the car has selected."""
        self.in_loop = False
        """A request of the charge loop was answered since power delivery began."""
        self.others: tuple[tuple[int, int], ...] = ()
        """The other services that the car has selected: service id and parameter set id."""

    # -- sequence

    @property
    def sequence(self) -> Sequence:
        """The table that holds now: the energy service's once there is one."""
        return SETUP if self.energy is None else self.energy.sequence

    @property
    def early_stop(self) -> Sequence:
        """Where a request that takes the power off may come beside it."""
        return NO_EARLY_STOP if self.energy is None else self.energy.early_stop

    def enter(self, state: State) -> None:
        """Go to `state`; raises MachineError where the sequence has no such way."""
        name = self.request.name
        targets = (table.get(self.state, {}).get(name, ()) for table in (self.sequence, self.early_stop))
        if state is not self.state and not any(state in states for states in targets):
            raise MachineError(f"{name} leads from {self.state.name} to {state.name}, which the sequence does not have")
        self.state = state

    def _out_of_sequence(self, name: str, stream: str, body: Any) -> bool:
        if self.handler(name) is None:
            return True
        if stream == "schedule":
            return self.state is not State.CHARGING or name not in SCHEDULE_STREAM[self.side]
        if stream == "metering":
            return self.state is not State.CHARGING or name != "MeteringConfirmationReq"
        if name in PARKING:
            selected = any(service_id == Service.ParkingStatus for service_id, _ in self.others)
            return not selected or self.state is State.ENDED
        if stream == "parking":
            return True
        if name in self.sequence.get(self.state, {}):
            return False
        if name not in self.early_stop.get(self.state, {}):
            return True
        return body is not None and not is_stop(name, body)

    def handler(self, name: str) -> Handler | None:
        """Return the method that answers a request."""
        found: Handler | None = getattr(self, f"on_{name}", None) or getattr(self.energy, f"on_{name}", None)
        return found

    # -- checks and dispatch

    def answer(self, request: Request, now: float) -> Answer | Deferred:
        """Return the response to a request; what cannot be answered yet is Deferred."""
        name, self.request = request.name, request
        code = self._refusal(request)
        if code:
            where = f" in state {self.state.name}" if code == "FAILED_SequenceError" else ""
            return Answer(
                self.refusal(name, code),
                end="terminate",
                log=f"{name}: {code}{where}",
                violation=code != "FAILED",
            )
        handler = self.handler(name)
        assert handler is not None
        answer = handler(request.body, now)
        if isinstance(answer, Answer):
            answer.next_request_s = self._next_request_s()
            if answer.code.startswith("FAILED") and not answer.end:
                answer.log = answer.log or f"{name}: {answer.code}"
                answer.end = "terminate"
        return answer

    def _next_request_s(self) -> float:
        # The side streams do not lengthen the time that the charge loop has.
        in_loop = self.state is State.CHARGING and self.in_loop
        return self.options.charge_loop_timeout_s if in_loop else V2G_SECC_SEQUENCE_TIMEOUT_S

    def _refusal(self, request: Request) -> str:
        """Return the FAILED code of the checks that come before every handler, or nothing."""
        name, body = request.name, request.body
        if self._out_of_sequence(name, request.stream, body):
            return "FAILED_SequenceError"
        if self._unknown_session(name, request.session_id):
            return "FAILED_UnknownSession"
        hindered = self.refuse_all or self.facts.error == iso15118.EvseError.Error_EmergencyShutdown
        if hindered and not (name in WINDING_DOWN and (name != "PowerDeliveryReq" or is_stop(name, body))):
            return "FAILED"
        return ""

    def _unknown_session(self, name: str, session_id: bytes) -> bool:
        return name != "SessionSetupReq" and session_id != self.session_id

    def refuse_unread(self, outline: Outline) -> Answer:
        """Refuse a request of which only the kind could be read: what the car wants is not known, the power ends."""
        name = outline.name
        if self._out_of_sequence(name, "main", None):
            code = "FAILED_SequenceError"
        elif self._unknown_session(name, outline.session_id):
            code = "FAILED_UnknownSession"
        else:
            code = "FAILED"
        return Answer(self.refusal(name, code), end="terminate")

    def refuse_unwritable(self, name: str) -> Answer:
        """Refuse a request whose response cannot be encoded."""
        return Answer(self.refusal(name, "FAILED"), end="terminate")

    def refusal(self, name: str, code: str) -> Any:
        """Return the response to `name` with a FAILED or WARNING code and the least content of the schema."""
        selected = self.energy is not None and self.energy.selection.service is Service.AC_DER_IEC
        der = selected or "AC-DER" in getattr(self.request.body, "namespace", "")
        return refusal(name, self.header(), responseCodeType(code), derived=der)

    def failed(self, name: str, code: str, why: str) -> Answer:
        """Refuse `name` for a reason of its handler."""
        return Answer(self.refusal(name, code), log=f"{name}: {code} ({why})")

    # -- messages

    def header(self) -> iso20_types.MessageHeaderType:
        """Return the header of a response; its time is in seconds, as every charger in the field sends it."""
        timestamp = int(self.environment.utc_now().timestamp())
        return iso20_types.MessageHeaderType(SessionID=self.session_id, TimeStamp=timestamp)

    def message(self, answer: Answer) -> Any:
        """Return the whole message: the header is part of the response."""
        return answer.body

    def ok(self, kind: type[Any], code: str = "OK", **fields: Any) -> Answer:
        """Return a response of `kind`."""
        return Answer(kind(Header=self.header(), ResponseCode=responseCodeType(code), **fields))

    def connection_ends(self) -> None:
        """Take the power off, whatever the state."""
        if self.energy is not None:
            self.energy.power_off()

    def select_others(self, others: tuple[tuple[int, int], ...]) -> None:
        """Take the other services that the car has selected, and notify their providers, also of what it gives up."""
        if others or self.others:
            self.effect(SelectServices(others))
        self.others = others

    # -- what the charger wants

    @property
    def wants_end(self) -> bool:
        """Whether the charger wants the session to end: it was asked to stop, or has a fault."""
        return self.facts.stop_requested or self.refuse_all or bool(self.facts.error)


def is_stop(name: str, request: Any) -> bool:
    """Return whether the request takes the power off."""
    return name == "PowerDeliveryReq" and str(request.ChargeProgress) == "Stop"
