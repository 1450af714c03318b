"""One connection of a car: frames in, responses out in order, every time-out, and the end.

The machine knows no protocol and no transport: a `Protocol` decodes frames and makes the session, bytes come and go as
events and effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.kernel.effects import publish
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.v2g import timing
from chargebyte_fw.modules.v2g.exi import EncodeError, ExiError
from chargebyte_fw.modules.v2g.secc.connection_facts import ConnectionFacts, SeccState
from chargebyte_fw.modules.v2g.secc.effects import (
    Abort,
    Connected,
    Disconnected,
    Ended,
    FactsChanged,
    LinkLost,
    Log,
    MessageExchanged,
    ProtocolViolation,
    Received,
    Send,
    SessionEnd,
    ShutDown,
)
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, SessionFacts, Settings
from chargebyte_fw.modules.v2g.secc.negotiation import negotiate, offered_protocols
from chargebyte_fw.modules.v2g.secc.protocol import (
    MAIN_STREAM,
    Answer,
    Deferred,
    Environment,
    Protocol,
    Request,
    Session,
    SessionContext,
)
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame, Receiver

_MOST_WAITING_FRAMES = 4
"""A car sends one request at a time; more than this many ahead of our answers is no car."""
_MOST_NOT_UNDERSTOOD = 20
"""Frames that are not understood are ignored, but not for ever."""
_DLINK = {
    "terminate": Iso15118Charger.dlink_terminate,
    "pause": Iso15118Charger.dlink_pause,
    "error": Iso15118Charger.dlink_error,
}


S = SeccState
_OPEN = (S.HANDSHAKE, S.SESSION)
_LIVE = (S.IDLE, S.HANDSHAKE, S.SESSION, S.FINISHING, S.SHUT_DOWN)


class Secc(Machine):
    """The charger's side of one connection. `facts` and `settings` belong to the owner, who feeds `FactsChanged`."""

    initial = S.IDLE

    def __init__(
        self, protocols: Sequence[Protocol], facts: ChargerFacts, settings: Settings, environment: Environment
    ) -> None:
        super().__init__()
        self.protocols = protocols
        self.facts = facts
        self.settings = settings
        self.environment = environment
        self.protocol: Protocol | None = None
        self.session: Session | None = None
        self.connection = ConnectionFacts()
        self._receiver = Receiver()
        self._frames: list[Frame] = []
        self._deferred: dict[str, Request] = {}
        """Requests whose response waits for a fact, by stream."""

    # -- events

    @on(S.IDLE, event=Connected, to=S.HANDSHAKE)
    def connected(self, event: Connected, now: float) -> list[Any]:
        """Wait for the handshake."""
        self.connection.security = event.security
        self.start("sequence", now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S)
        return self.enter(S.HANDSHAKE)

    @on(*_OPEN, event=Received, to=(S.SESSION, S.FINISHING, S.ENDED))
    def received(self, event: Received, now: float) -> list[Any]:
        """Cut the bytes into frames and answer them."""
        try:
            self._frames += self._receiver.feed(event.data)
        except PeerError as error:
            return self._break_off(str(error))
        return self._work(now)

    @on(*_OPEN, event=FactsChanged, to=(S.SESSION, S.FINISHING, S.ENDED))
    def facts_changed(self, event: FactsChanged, now: float) -> list[Any]:
        """Send the response that waited, if its fact is there now."""
        return self._work(now)

    @on(*_LIVE, event=Disconnected, to=S.ENDED)
    def disconnected(self, event: Disconnected, now: float) -> list[Any]:
        """End: the connection is closed."""
        return self._over([])

    @on(*_LIVE, event=LinkLost, to=S.ENDED)
    def link_lost(self, event: LinkLost, now: float) -> list[Any]:
        """Close without a last response."""
        self.connection.ended_by_charger = True
        return self._over([Log(f"V2G connection closed: {event.reason}"), Abort()])

    @on(S.IDLE, S.FINISHING, S.SHUT_DOWN, S.ENDED, event=Received)
    @on(S.IDLE, S.FINISHING, S.SHUT_DOWN, S.ENDED, event=FactsChanged)
    @on(S.ENDED, event=Disconnected)
    @on(S.ENDED, event=LinkLost)
    def ignored(self, event: Any, now: float) -> list[Any]:
        """Ignore what comes before the beginning or after the end."""
        return []

    # -- timers

    @on(*_OPEN, timer="sequence", to=S.ENDED)
    def sequence_over(self, now: float) -> list[Any]:
        """Close: no request came within the sequence time-out."""
        protocol = self.protocol
        clause = "" if protocol is None else protocol.sequence_timeout_clause
        return self._break_off(f"no request for {self.connection.next_request_s:g} s {clause}".rstrip())

    @on(S.SESSION, timer="deferred", to=(S.FINISHING, S.ENDED))
    def deferred_over(self, now: float) -> list[Any]:
        """Answer without the fact that a response waited for."""
        return self._work(now)

    @on(S.SESSION, timer="grace", to=(S.FINISHING, S.ENDED))
    def grace_over(self, now: float) -> list[Any]:
        """Refuse the requests of a car that did not stop when it was asked to."""
        if self.session is None:
            return []
        self.session.refuse_all = True
        text = "the car did not stop when asked to: its requests are refused from now on"
        return [Log(text), *self._work(now)]

    @on(S.SESSION, timer="refused", to=S.ENDED)
    def refused_for_long(self, now: float) -> list[Any]:
        """Close: the car goes on although every request of it is refused."""
        return self._break_off(f"nothing to answer but FAILED for {timing.REFUSED_AT_MOST_S:g} s")

    @on(S.FINISHING, timer="close", to=S.SHUT_DOWN)
    def close_over(self, now: float) -> list[Any]:
        """Shut our side down: the car has had its time to close first."""
        self.start("fin", now + timing.WAIT_FOR_FIN_S)
        return self.enter(S.SHUT_DOWN, ShutDown())

    @on(S.SHUT_DOWN, timer="fin", to=S.ENDED)
    def fin_over(self, now: float) -> list[Any]:
        """Close: the car does not."""
        return self._over([Abort()])

    # -- requests

    def _work(self, now: float) -> list[Any]:
        """Answer what can be answered."""
        effects: list[Any] = []
        self._watch_stop(now)
        self.stop("deferred")
        for stream in list(self._deferred):
            if self.state is S.SESSION:
                effects += self._reply(self._deferred.pop(stream), now)
        while (frame := self._next_frame()) is not None:
            effects += self._take(frame, now)
        if len(self._frames) > _MOST_WAITING_FRAMES and self._deferred:
            return effects + self._break_off("requests without waiting for their answers")
        return effects

    def _watch_stop(self, now: float) -> None:
        """Let the time run that the car has to end the session."""
        session = self.session
        if not self.facts.stop_requested:
            self.stop("grace")
        elif self.state is S.SESSION and session is not None and not session.refuse_all and self.due("grace") is None:
            self.start("grace", now + timing.STOP_CHARGING_GRACE_S)

    def _next_frame(self) -> Frame | None:
        """Return the next frame that does not have to wait for the answer to one before it."""
        if self.state not in _OPEN:
            return None
        for place, frame in enumerate(self._frames):
            stream = None if self.protocol is None else self.protocol.streams.get(frame.payload_type)
            if not self._deferred or (stream is not None and stream not in self._deferred):
                return self._frames.pop(place)
        return None

    def _take(self, frame: Frame, now: float) -> list[Any]:
        types = (EXI_DIN_ISO2,) if self.protocol is None else tuple(self.protocol.streams)
        if frame.payload_type not in types:
            expected = ", ".join(f"0x{one:04X}" for one in types)
            return self._ignore(f"a frame of payload type 0x{frame.payload_type:04X} in a session of {expected}", frame)
        if self.protocol is None:
            return self._negotiate(frame, now)
        try:
            request = self.protocol.decode(frame)
        except ExiError as error:
            return self._not_understood(error, frame, now)
        if not request.name.endswith("Req"):
            return self._ignore(f"{request.name} is no request", frame)
        request.stream = self.protocol.streams[frame.payload_type]
        request.payload = frame.payload
        self._requested(request.name, request.stream, now)
        effects = self._reply(request, now)
        # The car waits for its answer, everybody else does not.
        place = 1 if effects and isinstance(effects[0], Send) else 0
        effects.insert(place, MessageExchanged(request.name, frame.to_bytes(), request.message))
        return effects

    def _requested(self, name: str, stream: str, now: float) -> None:
        assert self.protocol is not None
        self.connection.last_request = name
        if stream == MAIN_STREAM:
            self._wait_for_request(self.protocol.sequence_timeout_s, now)

    def _wait_for_request(self, limit_s: float, now: float) -> None:
        self.connection.next_request_s = limit_s
        self.start("sequence", now + limit_s)

    def _not_understood(self, error: ExiError, frame: Frame, now: float) -> list[Any]:
        """Answer FAILED where the kind of the request can be read, so that the car need not wait for its time-out."""
        assert self.protocol is not None and self.session is not None
        outline = self.protocol.outline(frame)
        if outline is None:
            return self._ignore(f"not understood: {error}", frame)
        if self._too_much_is_not_understood():
            return self._break_off(f"{self.connection.not_understood} frames without sense, the last one: {error}")
        stream, session = self.protocol.streams[frame.payload_type], self.session
        self._requested(outline.name, stream, now)
        answer = session.refuse_unread(outline)
        effects = self._respond(answer, outline.name, stream)
        effects.insert(1, MessageExchanged(outline.name, frame.to_bytes()))
        self._watch_refusals(answer, now)
        if answer.end:
            session.connection_ends()
        effects += session.take_effects()
        effects.append(ProtocolViolation(f"{outline.name} is refused with {answer.code}: {error}"))
        return effects + (self._finish(answer.end, now) if answer.end else [])

    def _ignore(self, what: str, frame: Frame) -> list[Any]:
        """Ignore a frame that is not understood; the sequence time-out goes on."""
        if self._too_much_is_not_understood():
            return self._break_off(f"{self.connection.not_understood} frames without sense, the last one: {what}")
        return [MessageExchanged("UnknownMessage", frame.to_bytes()), ProtocolViolation(what)]

    def _too_much_is_not_understood(self) -> bool:
        self.connection.not_understood += 1
        return self.connection.not_understood > _MOST_NOT_UNDERSTOOD

    def _reply(self, request: Request, now: float) -> list[Any]:
        """Answer a request, or defer it until its fact is there."""
        assert self.session is not None
        session = self.session
        result = session.answer(request, now)
        if isinstance(result, Deferred):
            self._deferred[request.stream] = request
            due = self.due("deferred")
            self.start("deferred", result.until if due is None else min(due, result.until))
            return session.take_effects()
        effects = self._respond(result, request.name, request.stream)
        if result.next_request_s is not None and request.stream == MAIN_STREAM:
            self._wait_for_request(result.next_request_s, now)
        self._watch_refusals(result, now)
        if result.end:
            # A car that ends without taking the power off first does not keep it until the connection is closed.
            session.connection_ends()
        effects += session.take_effects()
        if result.log:
            effects.append(ProtocolViolation(result.log) if result.violation else Log(result.log))
        if result.end:
            effects += self._finish(result.end, now)
        return effects

    def _watch_refusals(self, answer: Answer, now: float) -> None:
        """Let the time run in which a car gets nothing but refusals."""
        if not answer.code.startswith("FAILED"):
            self.stop("refused")
        elif self.due("refused") is None:
            self.start("refused", now + timing.REFUSED_AT_MOST_S)

    def _respond(self, answer: Answer, request_name: str, stream: str) -> list[Any]:
        assert self.session is not None and self.protocol is not None
        if (encoded := answer.encoded) is not None:
            data = encoded.frame.to_bytes()
            return [Send(data, answer.name), MessageExchanged(answer.name, data, encoded.message)]
        violations: list[Any] = []
        message = self.session.message(answer)
        try:
            frame = self.protocol.encode(message, stream).to_bytes()
        except EncodeError as error:
            text = f"{request_name} is refused: its answer cannot be written: {error}"
            violations.append(ProtocolViolation(text))
            answer = self.session.refuse_unwritable(request_name)
            message = self.session.message(answer)
            frame = self.protocol.encode(message, stream).to_bytes()
        return [Send(frame, answer.name), MessageExchanged(answer.name, frame, message), *violations]

    # -- handshake

    def _negotiate(self, frame: Frame, now: float) -> list[Any]:
        facts, connection = self.facts, self.connection
        hindered = facts.stop_requested or facts.error == iso15118.EvseError.Error_EmergencyShutdown
        offered = offered_protocols(self.protocols, facts, self.settings, connection.security)
        try:
            outcome = negotiate(frame, offered, refuse=hindered)
        except PeerError as error:
            return self._break_off(error.what)
        effects = outcome.effects()
        if outcome.protocol is None or outcome.selected is None:
            connection.ended_by_charger = connection.ended_by_charger or (hindered and outcome.request is not None)
            return effects + self._finish("error", now)
        self.start("sequence", now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S)
        self.protocol = outcome.protocol
        self.session = outcome.protocol.new_session(
            SessionContext(
                facts,
                self.settings,
                self.environment,
                outcome.offered,
                outcome.selected,
                connection.security,
            )
        )
        return self.enter(S.SESSION, *effects)

    # -- end

    def _finish(self, end: SessionEnd, now: float) -> list[Any]:
        """The last response is out: give the car time to read it and to close ([V2G2-025], [V2G-DC-937])."""
        self.connection.end = end
        self._frames.clear()
        self.start("close", now + timing.CLOSE_AFTER_LAST_RESPONSE_S)
        return self.enter(S.FINISHING)

    def _break_off(self, what: str) -> list[Any]:
        """The car's stream is of no more use: close at once."""
        return self._over([ProtocolViolation(what), Abort()])

    def _over(self, effects: list[Any]) -> list[Any]:
        """The connection is gone: power off, data link released, facts of the session dropped."""
        self.enter(S.ENDED)
        self._deferred.clear()
        if self.session is not None:
            self.session.take_effects()
            self.session.connection_ends()
            effects += self.session.take_effects()
        end = self.connection.end
        effects.append(publish(_DLINK[end], None))
        if (reason := self._failure()) is not None:
            effects.append(publish(Iso15118Charger.hlc_session_failed, reason))
        self.facts.session = SessionFacts()
        return [*effects, Ended(end)]

    def _failure(self) -> FailureReason | None:
        connection = self.connection
        # EVerest reports a cable check that failed, although the fault is the charger's.
        checking = bool(self.facts.error) and (connection.last_request or "").endswith("CableCheckReq")
        ours = connection.ended_by_charger or self.facts.stop_requested or bool(self.facts.error)
        if (ours and not checking) or connection.end == "pause":
            return None
        if self.protocol is None or not connection.last_request:
            return FailureReason.ProtocolNegotiationFailed
        return self.protocol.failure_reasons.get(connection.last_request, FailureReason.UnexpectedSessionEnd)
