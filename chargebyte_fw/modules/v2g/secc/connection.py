"""One connection of a car: handshake, requests and answers in order, every time-out, and the end."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as Reason
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.v2g import handshake, timing
from chargebyte_fw.modules.v2g.exi import EncodeError, ExiError, codec
from chargebyte_fw.modules.v2g.handshake import Choice, Protocol
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.secc.common.session import Answer, Dialogue, Later, Outside
from chargebyte_fw.modules.v2g.secc.din.session import DinDialogue
from chargebyte_fw.modules.v2g.secc.effects import (
    Abort,
    Broken,
    Disconnected,
    Ended,
    FactsChanged,
    LinkLost,
    Note,
    Opened,
    Publish,
    Received,
    Seen,
    Send,
    ShutDown,
)
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.iso2.ac import Iso2Ac
from chargebyte_fw.modules.v2g.secc.iso2.session import Iso2Dc
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame, Receiver

_MOST_WAITING_FRAMES = 4
"""A car sends one request at a time; more than this many ahead of our answers is no car."""
_MOST_JUNK = 20
"""Frames that say nothing are overlooked, but not for ever."""
_REASONS = {
    Reason.ProtocolNegotiationFailed: ("", "SupportedAppProtocol", "SessionSetup"),
    Reason.ChargingParametersNotAccepted: ("ServiceDiscovery", "ServiceDetail", "ChargeParameterDiscovery"),
    Reason.AuthorizationFailed: (
        *("PaymentServiceSelection", "ServicePaymentSelection", "PaymentDetails"),
        *("Authorization", "ContractAuthentication", "CertificateInstallation", "CertificateUpdate"),
    ),
    Reason.EnergyTransferSetupFailed: ("CableCheck", "PreCharge", "PowerDelivery"),
    Reason.ChargingInterrupted: ("CurrentDemand", "ChargingStatus", "MeteringReceipt"),
}
_REASON_OF = {name: reason for reason, names in _REASONS.items() for name in names}
_NO_FAILURE = ("WeldingDetection", "SessionStop")


class SeccState(Enum):
    """How far the connection is."""

    IDLE = auto()
    HANDSHAKE = auto()
    SESSION = auto()
    FINISHING = auto()
    """The last response is out; the car may close first."""
    SHUT_DOWN = auto()
    """Our side is shut down; the car should close now."""
    ENDED = auto()


class Secc(Machine):
    """The charger's side of one connection. `settings` and `facts` belong to the owner, who feeds `FactsChanged`."""

    def __init__(self, facts: ChargerFacts, settings: Settings, outside: Outside) -> None:
        super().__init__(SeccState.IDLE)
        self.facts = facts
        self.settings = settings
        self.outside = outside
        self.dialogue: Dialogue | None = None
        self.protocol: Protocol | None = None
        self.last_message = ""
        self._receiver = Receiver()
        self._frames: list[Frame] = []
        self._waiting: tuple[Any, bytes] | None = None
        """The request whose answer waits for a fact, and its session id."""
        self._timers: dict[str, float] = {}
        self._how = "error"
        self._ours = False
        """The end was the charger's doing."""
        self._junk = 0
        self._offered: list[sap.AppProtocolType] = []
        self._chosen: sap.AppProtocolType | None = None

    # -- rows

    @on(SeccState.IDLE, event=Opened)
    def opened(self, event: Opened, now: float) -> list[Any]:
        """Wait for the handshake."""
        self.state = SeccState.HANDSHAKE
        self._timers["sequence"] = now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S
        return self._done([], now)

    @on(SeccState.HANDSHAKE, SeccState.SESSION, event=Received)
    def received(self, event: Received, now: float) -> list[Any]:
        """Cut the bytes into frames and answer them."""
        try:
            self._frames += self._receiver.feed(event.data)
        except PeerError as error:
            return self._broken_off(str(error), now)
        return self._work(now)

    @on(SeccState.FINISHING, SeccState.SHUT_DOWN, SeccState.ENDED, SeccState.IDLE, event=Received)
    def late(self, event: Received, now: float) -> list[Any]:
        """Take no notice of what comes after the end."""
        return []

    @on(event=FactsChanged)
    def facts_changed(self, event: FactsChanged, now: float) -> list[Any]:
        """Send the response that waited, if its fact is there now."""
        return self._work(now)

    @on(event=Disconnected)
    def disconnected(self, event: Disconnected, now: float) -> list[Any]:
        """End: the car has closed."""
        return self._over([])

    @on(event=LinkLost)
    def link_lost(self, event: LinkLost, now: float) -> list[Any]:
        """End without another word."""
        if self.state is SeccState.ENDED:
            return []
        self._ours = True
        return self._over([Note(f"V2G connection closed: {event.reason}"), Abort()])

    @on(SeccState.ENDED, event=FactsChanged)
    @on(SeccState.ENDED, event=Disconnected)
    def after_all(self, event: Any, now: float) -> list[Any]:
        """Nothing more happens."""
        return []

    @on(event=Timeout)
    def timeout(self, event: Timeout, now: float) -> list[Any]:
        """Let pass what is due."""
        due = [name for name, at in self._timers.items() if at <= now]
        for name in due:
            del self._timers[name]
        if "sequence" in due:
            clause = " [V2G2-713]" if self.protocol is handshake.ISO15118D2 else ""
            return self._broken_off(f"no request for {timing.V2G_SECC_SEQUENCE_TIMEOUT_S:g} s{clause}", now)
        if "fin" in due:
            return self._over([Abort()])
        if "close" in due:
            self.state = SeccState.SHUT_DOWN
            self._timers["fin"] = now + timing.WAIT_FOR_FIN_S
            return self._done([ShutDown()], now)
        effects: list[Any] = []
        if "grace" in due and self.dialogue is not None:
            self.dialogue.refuse_all = True
            effects.append(Note("the car did not stop when asked to: its requests are refused from now on"))
        return effects + self._work(now)

    # -- work

    def _work(self, now: float) -> list[Any]:
        """Answer what can be answered."""
        effects: list[Any] = []
        self._watch_stop(now)
        if self._waiting is not None:
            effects += self._reply(*self._waiting, now)
        while self._frames and self._waiting is None and self.state in (SeccState.HANDSHAKE, SeccState.SESSION):
            effects += self._take(self._frames.pop(0), now)
        if len(self._frames) > _MOST_WAITING_FRAMES and self._waiting is not None:
            return effects + self._broken_off("requests without waiting for their answers", now)
        return self._done(effects, now)

    def _watch_stop(self, now: float) -> None:
        if not self.facts.stop_requested:
            self._timers.pop("grace", None)
        elif self.state is SeccState.SESSION and self.dialogue is not None and not self.dialogue.refuse_all:
            self._timers.setdefault("grace", now + timing.STOP_CHARGING_GRACE_S)

    def _take(self, frame: Frame, now: float) -> list[Any]:
        if frame.payload_type != EXI_DIN_ISO2:
            return self._overlook(
                f"a frame of payload type 0x{frame.payload_type:04X} in a session of 0x8001", frame, now
            )
        if self.protocol is None:
            return self._shake_hands(frame, now)
        try:
            message = codec(self.protocol.schema_set).decode(frame.payload)
        except ExiError as error:
            return self._not_understood(error, frame, now)
        name = type(message.Body).__name__
        if not name.endswith("Req"):
            return self._overlook(f"{name} is no request", frame, now)
        self._timers["sequence"] = now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S
        self.last_message = name[:-3]
        seen = Seen(name, frame.to_bytes(), message)
        effects = self._reply(message.Body, message.Header.SessionID, now)
        # The car waits for its answer, everybody else does not.
        effects.insert(1 if effects and isinstance(effects[0], Send) else 0, seen)
        return effects

    def _not_understood(self, error: ExiError, frame: Frame, now: float) -> list[Any]:
        """Answer FAILED where the kind of the request can be read, so that the car need not wait for its time-out."""
        assert self.protocol is not None and self.dialogue is not None
        outline = codec(self.protocol.schema_set).outline(frame.payload)
        body = outline.body if outline is not None else None
        if outline is None or body is None or not body.__name__.endswith("Req"):
            return self._overlook(f"not understood: {error}", frame, now)
        name, dialogue = body.__name__, self.dialogue
        self._junk += 1
        if self._junk > _MOST_JUNK:
            return self._broken_off(f"{self._junk} frames without sense, the last one: {error}", now)
        self._timers["sequence"] = now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S
        self.last_message = name[:-3]
        answer = dialogue.refuse_unread(name, outline.header.SessionID)
        effects = self._respond(answer, name)
        effects.insert(1, Seen(name, frame.to_bytes()))
        if answer.end:
            dialogue.connection_ends()
        out, dialogue.out = dialogue.out, []
        effects += [*out, Broken(f"{name} is refused with {answer.code}: {error}")]
        return effects + (self._finish(answer.end, now) if answer.end else [])

    def _overlook(self, what: str, frame: Frame, now: float) -> list[Any]:
        """Take no notice of a frame without sense; the sequence time-out goes on."""
        self._junk += 1
        if self._junk > _MOST_JUNK:
            return self._broken_off(f"{self._junk} frames without sense, the last one: {what}", now)
        return [Seen("UnknownMessage", frame.to_bytes()), Broken(what)]

    def _shake_hands(self, frame: Frame, now: float) -> list[Any]:
        try:
            request = codec("sap").decode(frame.payload)
        except ExiError as error:
            outline = codec("sap").outline(frame.payload)
            if outline is None or outline.root is not sap.supportedAppProtocolReq:
                return self._broken_off(f"no handshake: {error}", now)
            self.last_message = "SupportedAppProtocol"
            refused = handshake.refuse().response
            sent = Frame(EXI_DIN_ISO2, codec("sap").encode(refused)).to_bytes()
            return [
                Send(sent, "SupportedAppProtocolRes"),
                Seen("SupportedAppProtocolReq", frame.to_bytes()),
                Seen("SupportedAppProtocolRes", sent, refused),
                Broken(f"SupportedAppProtocolReq is refused with {refused.ResponseCode}: {error}"),
                *self._finish("error", now),
            ]
        if not isinstance(request, sap.supportedAppProtocolReq):
            return self._broken_off("no handshake but its response", now)
        self.last_message = "SupportedAppProtocol"
        self._timers["sequence"] = now + timing.V2G_SECC_SEQUENCE_TIMEOUT_S
        hindered = self.facts.stop_requested or self.facts.error == iso15118.EvseError.Error_EmergencyShutdown
        choice = handshake.refuse() if hindered else handshake.choose(request, self._served())
        self._offered, self._chosen = request.AppProtocol, choice.entry
        sent = Frame(EXI_DIN_ISO2, codec("sap").encode(choice.response)).to_bytes()
        return [
            Seen("SupportedAppProtocolReq", frame.to_bytes(), request),
            Send(sent, "SupportedAppProtocolRes"),
            Publish("ev_app_protocol", self._offers()),
            Seen("SupportedAppProtocolRes", sent, choice.response),
            *self._negotiated(choice, now, hindered),
        ]

    def _served(self) -> list[str]:
        """Return what may be negotiated: DIN SPEC 70121 is a DC protocol, an AC charger has nothing to offer in it."""
        dc = self.facts.is_dc
        return [name for name in self.facts.app_protocols if dc or name != handshake.DIN70121.name]

    def _negotiated(self, choice: Choice, now: float, hindered: bool) -> list[Any]:
        if choice.protocol is None:
            self._ours = self._ours or hindered
            offers = ", ".join(f"{one.ProtocolNamespace} {one.VersionNumberMajor}" for one in self._offered)
            why = "the charger wants to stop" if hindered else f"the car offers {offers}"
            return [Note(f"no common protocol: {why}"), *self._finish("error", now)]
        self.protocol = choice.protocol
        self.state = SeccState.SESSION
        dc = Iso2Dc if self.facts.is_dc else Iso2Ac
        kind: type[Dialogue] = DinDialogue if choice.protocol is handshake.DIN70121 else dc
        self.dialogue = kind(self.facts, self.settings, self.outside)
        return [
            Publish("selected_protocol", choice.protocol.text),
            Note(f"session in {choice.protocol.text}"),
        ]

    def _reply(self, request: Any, session_id: bytes, now: float) -> list[Any]:
        """Answer a request, or keep it until its fact is there."""
        assert self.dialogue is not None and self.protocol is not None
        dialogue, self._waiting = self.dialogue, None
        self._timers.pop("answer", None)
        result = dialogue.answer(request, session_id, now)
        if isinstance(result, Later):
            self._waiting = (request, session_id)
            self._timers["answer"] = result.until
            out, dialogue.out = dialogue.out, []
            return out
        effects = self._respond(result, type(request).__name__)
        if result.end:
            # Whoever ends without taking the power off first does not keep it for as long as he lets the connection be.
            dialogue.connection_ends()
        out, dialogue.out = dialogue.out, []
        effects += out
        if result.log:
            wrong = "FAILED_SequenceError" in result.log or "FAILED_UnknownSession" in result.log
            effects.append(Broken(result.log) if wrong else Note(result.log))
        if self.last_message == "SessionSetup" and result.code.startswith("OK") and dialogue.evcc_id:
            effects.append(self._ev_info())
        if result.end:
            effects += self._finish(result.end, now)
        return effects

    def _respond(self, answer: Answer, request_name: str) -> list[Any]:
        assert self.dialogue is not None and self.protocol is not None
        spoken = codec(self.protocol.schema_set)
        complaints: list[Any] = []
        try:
            message = self._message(answer.body)
            payload = spoken.encode(message)
        except EncodeError as error:
            complaints.append(Broken(f"{request_name} is refused: its answer cannot be written: {error}"))
            message = self._message(self.dialogue.refuse(request_name, "FAILED"))
            payload = spoken.encode(message)
        name = type(message.Body).__name__
        frame = Frame(EXI_DIN_ISO2, payload).to_bytes()
        return [Send(frame, name), Seen(name, frame, message), *complaints]

    def _message(self, body: Any) -> Any:
        assert self.dialogue is not None
        m = self.dialogue.m
        return m.V2G_Message(Header=m.MessageHeaderType(SessionID=self.dialogue.session_id), Body=body)

    def _offers(self) -> iso15118.AppProtocols:
        return iso15118.AppProtocols(Protocols=[_told(one) for one in self._offered])

    def _ev_info(self) -> Publish:
        assert self.dialogue is not None and self._chosen is not None
        info = iso15118.EvInformation(
            supported_protocols=self._offers(),
            selected_protocol=_told(self._chosen),
            evcc_id=self.dialogue.evcc_id,
        )
        return Publish("ev_info", info, extension=True)

    # -- end

    def _finish(self, how: str, now: float) -> list[Any]:
        """The last response is out: give the car time to read it and to close."""
        self._how = how
        self.state = SeccState.FINISHING
        self._timers = {"close": now + timing.CLOSE_AFTER_LAST_RESPONSE_S}
        self._frames.clear()
        return []

    def _broken_off(self, what: str, now: float) -> list[Any]:
        """The car's stream is of no more use: close at once."""
        return self._over([Broken(what), Abort()])

    def _over(self, effects: list[Any]) -> list[Any]:
        """The connection is gone: the power off, the data link told, the facts of the session forgotten."""
        self.state, self.deadline, self._timers, self._waiting = SeccState.ENDED, None, {}, None
        if self.dialogue is not None:
            self.dialogue.out = []
            self.dialogue.connection_ends()
            effects += self.dialogue.out
        effects.append(Publish(f"dlink_{self._how}"))
        if reason := self._failure():
            effects.append(Publish("hlc_session_failed", reason))
        self.facts.forget_session()
        return [*effects, Ended(self._how)]

    def _failure(self) -> Reason | None:
        ours = self._ours or self.facts.stop_requested or bool(self.facts.error)
        if ours or self._how == "pause" or self.last_message in _NO_FAILURE:
            return None
        return _REASON_OF.get(self.last_message, Reason.UnexpectedSessionEnd)

    def _done(self, effects: list[Any], now: float) -> list[Any]:
        self.deadline = min(self._timers.values(), default=None)
        return effects


def _told(entry: sap.AppProtocolType) -> iso15118.AppProtocol:
    return iso15118.AppProtocol(
        protocol_namespace=entry.ProtocolNamespace or "?",
        version_number_major=entry.VersionNumberMajor,
        version_number_minor=entry.VersionNumberMinor,
        schema_id=entry.SchemaID,
        priority=entry.Priority,
    )
