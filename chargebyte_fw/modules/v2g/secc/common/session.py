"""What sessions of DIN SPEC 70121 and ISO 15118-2 have in common: checks, publication, authorization, refusals.

Subclasses have a method `on_<Request>(request, now)` for each request, and so has the energy service of the session. It
returns an `Answer`, or `Deferred` while a fact is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.kernel.machine import MachineError
from chargebyte_fw.modules.v2g.physical import physical
from chargebyte_fw.modules.v2g.secc.common.energy import EnergyService
from chargebyte_fw.modules.v2g.secc.common.evcc_id import mac_of_evcc_id
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.protocol import Answer, Deferred, Outline, Request, SessionContext
from chargebyte_fw.modules.v2g.secc.session_output import SessionOutput

Handler = Callable[[Any, float], "Answer | Deferred"]

CHARGE_SERVICE_ID = 1
SCHEDULE_ID = 1
"""SAScheduleTupleID of the one schedule."""
SCHEDULE_S = 86_400
WINDING_DOWN = ("PowerDeliveryReq", "WeldingDetectionReq", "SessionStopReq")
"""Requests by which a car ends its session: answered also when everything else is refused."""


class V2gSession(SessionOutput):
    """One session. Subclasses set `messages`, choose the energy service and have the handlers."""

    messages: ModuleType

    def __init__(self, context: SessionContext) -> None:
        super().__init__(context.settings)
        self.context = context
        self.facts = context.facts
        self.environment = context.environment
        self.state = State.SESSION_SETUP
        self.session_id = bytes(8)
        self.evcc_id = ""
        self.refuse_all = False
        self.request = Request("", b"", None, None)
        """The request that is being answered."""
        self._authorizing_since: float | None = None

    # -- for subclasses to define

    @property
    def energy(self) -> EnergyService:
        """The energy service of the session."""
        raise NotImplementedError

    def least_content(self, name: str) -> dict[str, Any]:
        """Return the mandatory fields of a refusal, by the name of the request."""
        return self.energy.least_content(name)

    def is_stop(self, name: str, request: Any) -> bool:
        """Return whether the request takes the power off."""
        raise NotImplementedError

    def order_of_refusals(self, unknown_session: bool, out_of_sequence: bool) -> str:
        """Return the response code of a request with one of these faults or both; empty without a fault."""
        raise NotImplementedError

    @property
    def notification(self) -> tuple[Any, int]:
        """EVSENotification and NotificationMaxDelay (s) of every EVSE status."""
        raise NotImplementedError

    # -- sequence

    def enter(self, state: State) -> None:
        """Go to `state`; raises MachineError where the sequence has no such way."""
        name, energy = self.request.name, self.energy
        targets = (table.get(self.state, {}).get(name, ()) for table in (energy.sequence, energy.early_stop))
        if state is not self.state and not any(state in states for states in targets):
            raise MachineError(f"{name} leads from {self.state.name} to {state.name}, which the sequence does not have")
        self.state = state

    def _out_of_sequence(self, name: str, request: Any) -> bool:
        if self._handler(name) is None:
            return True
        if name in self.energy.sequence[self.state]:
            return False
        if name not in self.energy.early_stop.get(self.state, {}):
            return True
        return request is not None and not self.is_stop(name, request)

    def _handler(self, name: str) -> Handler | None:
        found: Handler | None = getattr(self, f"on_{name}", None) or getattr(self.energy, f"on_{name}", None)
        return found

    # -- checks and dispatch

    def answer(self, request: Request, now: float) -> Answer | Deferred:
        """Return the response to a request; what cannot be answered yet is Deferred."""
        name, self.request = request.name, request
        refusal = self._refusal(request)
        if refusal == "FAILED":
            # Everything is refused: the power ends, whether the car leaves or not.
            self.energy.interrupt()
        if refusal:
            # [V2G2-539], [V2G-DC-665]: a sequence error ends the connection, whatever is configured.
            sequence = refusal == "FAILED_SequenceError"
            over = sequence or self.settings.terminate_connection_on_failed_response
            where = f" in state {self.state.name}" if sequence else ""
            return Answer(
                self.refusal(name, refusal),
                end="error" if over else "",
                log=f"{name}: {refusal}{where}",
                violation=refusal != "FAILED",
            )
        handler = self._handler(name)
        assert handler is not None
        answer = handler(request.body, now)
        if isinstance(answer, Answer) and answer.code.startswith("FAILED") and not answer.end:
            answer.log = answer.log or f"{name}: {answer.code}"
            if self.settings.terminate_connection_on_failed_response:
                answer.end = "error"
        return answer

    def _refusal(self, request: Request) -> str:
        """Return the FAILED code of the checks that come before every handler, or nothing."""
        name, body = request.name, request.body
        unknown = self._unknown_session(name, request.session_id)
        if code := self.order_of_refusals(unknown, self._out_of_sequence(name, body)):
            return code
        hindered = self.refuse_all or self.facts.error == iso15118.EvseError.Error_EmergencyShutdown
        if hindered and not (name in WINDING_DOWN and (name != "PowerDeliveryReq" or self.is_stop(name, body))):
            return "FAILED"
        return ""

    def refuse_unread(self, outline: Outline) -> Answer:
        """Refuse a request of which only the kind could be read: a value in it is beyond the schema's limit.

        What the car wants now is not known, so that the energy transfer ends; a request of another session, or out of
        turn, is refused as such.
        """
        name = outline.name
        unknown = self._unknown_session(name, outline.session_id)
        code = self.order_of_refusals(unknown, self._out_of_sequence(name, None))
        if not code:
            self.energy.interrupt()
        over = code == "FAILED_SequenceError" or self.settings.terminate_connection_on_failed_response
        return Answer(self.refusal(name, code or "FAILED"), end="error" if over else "")

    def refuse_unwritable(self, name: str) -> Answer:
        """Refuse a request whose response cannot be encoded."""
        return Answer(self.refusal(name, "FAILED"))

    def _unknown_session(self, name: str, session_id: bytes) -> bool:
        # Zero, or no id at all, opens a session with SessionSetupReq and nothing else ([V2G2-460], [V2G-DC-391]).
        # EVerest takes zero for any id in ISO 15118-2; no car is known that needs it, and testers ask for the refusal.
        return name != "SessionSetupReq" and session_id.rjust(8, b"\0") != self.session_id

    def refusal(self, name: str, code: str) -> Any:
        """Return the response to `name` with a FAILED code and the mandatory fields of the schema ([V2G2-736])."""
        response = getattr(self.messages, name[:-3] + "Res")
        return response(ResponseCode=self.messages.responseCodeType(code), **self.least_content(name))

    def failed(self, name: str, code: str, why: str) -> Answer:
        """Refuse `name` for a reason of its handler."""
        return Answer(self.refusal(name, code), log=f"{name}: {code} ({why})")

    def message(self, answer: Answer) -> Any:
        """Return the whole message with the session's header."""
        m = self.messages
        header = m.MessageHeaderType(SessionID=self.session_id, Signature=answer.signature)
        return m.V2G_Message(Header=header, Body=answer.body)

    def connection_ends(self) -> None:
        """Take the power off, whatever the state."""
        self.energy.power_off()

    # -- small pieces of messages

    def ok(self) -> Any:
        """Return the response code OK."""
        return self.messages.responseCodeType.OK

    def volts(self, value: float) -> Any:
        """Return a voltage with one decimal."""
        return self.quantity(round(value, 1), "V")

    def amperes(self, value: float) -> Any:
        """Return a current with one decimal."""
        return self.quantity(round(value, 1), "A")

    def watts(self, value: float) -> Any:
        """Return a power."""
        return self.quantity(round(value), "W")

    def quantity(self, value: float, unit: str) -> Any:
        """Return a physical value in `unit`, as finely as it fits."""
        return physical(self.messages.PhysicalValueType, value, self.messages.unitSymbolType(unit))

    # -- exchanges of both protocols

    def take_evcc_id(self, evcc_id: bytes) -> None:
        """Publish the car's address as text; an EVCCID that is no address identifies no car and is only logged."""
        mac = mac_of_evcc_id(evcc_id)
        if mac is None:
            self.log(f"car without an address: its EVCCID is {evcc_id.hex().upper() or 'empty'}")
            return
        self.evcc_id = mac.hex(":").upper()
        self.publish(Iso15118Charger.evcc_id, self.evcc_id)
        self.log(f"car {self.evcc_id}")

    def publish_ev_info(self) -> None:
        """Publish the car's identity with what it offered; without an identity there is nothing to publish."""
        if not self.evcc_id:
            return
        context = self.context
        self.publish(
            Iso15118Extensions.ev_info,
            iso15118.EvInformation(
                supported_protocols=iso15118.AppProtocols(Protocols=context.offered),
                selected_protocol=context.selected,
                evcc_id=self.evcc_id,
            ),
        )

    def offered_options(self) -> list[str]:
        """Return the payment options of a connection without TLS: no contract."""
        external = iso15118.PaymentOption.ExternalPayment
        return [option for option in self.facts.payment_options if option == external] or [external]

    def external_authorization(self, name: str, now: float, waiting: Any) -> Answer:
        """Answer an authorization request by external means."""

        def ask() -> None:
            self.publish(Iso15118Charger.require_auth_eim, None)

        return self.authorization(name, now, waiting, ask, self.settings.auth_timeout_eim_s)

    def authorization(
        self, name: str, now: float, waiting: Any, ask: Callable[[], None], limit_s: float, refused: str = "FAILED"
    ) -> Answer:
        """Answer an authorization request: ask once, answer Ongoing (`waiting`) until it is decided or too late."""
        if self._authorizing_since is None:
            self._authorizing_since = now
            ask()
            if self.facts.session.authorized is None:
                self.log("waiting for authorization")
        authorized = self.facts.session.authorized
        if authorized is None:
            if limit_s and now - self._authorizing_since >= limit_s:
                self._authorizing_since = None
                return self.failed(name, "FAILED", f"no authorization within {limit_s:g} s")
            processing = waiting
        elif not authorized:
            return self.failed(name, refused, "authorization was refused")
        else:
            processing = self.messages.EVSEProcessingType.Finished
            self.enter(State.CHARGE_PARAMETERS)
            self.log("authorized")
        response = getattr(self.messages, name[:-3] + "Res")
        return Answer(response(ResponseCode=self.ok(), EVSEProcessing=processing))
