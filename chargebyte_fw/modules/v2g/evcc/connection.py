"""The car's machine: search, connection, handshake, session, end. It knows no protocol: `evcc/protocol.py`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.v2g import handshake, sdp, timing
from chargebyte_fw.modules.v2g.evcc import misbehaviour
from chargebyte_fw.modules.v2g.evcc.effects import (
    Close,
    Connect,
    Power,
    Report,
    Send,
    SendSdp,
    SessionStopped,
    SetPilot,
    Step,
)
from chargebyte_fw.modules.v2g.evcc.events import Connected, Disconnected, FactsChanged, Received, SdpAnswer, Start
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.evcc.protocol import MAIN, CarSession, Failed, Protocol
from chargebyte_fw.modules.v2g.evcc.registry import protocols
from chargebyte_fw.modules.v2g.exi import EncodeError, codec
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame, Receiver


class EvccState(Enum):
    """How far the car got."""

    IDLE = auto()
    SEARCHING = auto()
    CONNECTING = auto()
    HANDSHAKE = auto()
    SESSION = auto()
    ENDED = auto()


S = EvccState
_RUNNING = (S.SEARCHING, S.CONNECTING, S.HANDSHAKE, S.SESSION)
_READING = (S.HANDSHAKE, S.SESSION)


class Evcc(Machine):
    """One session of a car: feed it events and time, carry out its effects (see the package's sketch)."""

    initial = S.IDLE

    def __init__(self, settings: CarSettings, facts: CarFacts) -> None:
        super().__init__()
        self.settings = settings
        self.facts = facts
        self.protocol: Protocol | None = None
        self.session: CarSession | None = None
        self._receiver = Receiver()
        self._searches = 0
        self._overlooked = ""
        """Why the charger's answer to SDP was of no use."""
        self._waiting: dict[str, str] = {}
        """The response that is due, by stream."""
        self._stream = MAIN
        """The stream of the present stage: its time limit is `response`, those beside it have another."""
        self._held: list[Any] = []
        """What a late car is still to send."""
        self._silent = False

    @property
    def protocols(self) -> tuple[str, ...]:
        """The names of the protocols that the car offers."""
        return tuple(dict.fromkeys(name for name, _ in self._offers()))

    def _offers(self) -> list[tuple[str, handshake.AppProtocol]]:
        """Return what the car offers on this connection: what knows its energy transfer mode and is secure enough.

        [V2G20-2356]: ISO 15118-20 wants TLS 1.3. A car that is set to plain TCP offers it all the same: a laboratory.
        """
        known, version = protocols(), self.facts.charger.tls_version
        return [
            (name, app)
            for name in self.settings.protocols
            for app in known[name].apps(self.settings)
            if self.settings.tls == "none" or app.tls_version in ("", version)
        ]

    @property
    def _offered(self) -> tuple[handshake.AppProtocol, ...]:
        return tuple(app for _, app in self._offers())

    # -- search and connection

    @on(S.IDLE, event=Start, to=S.SEARCHING)
    def begin(self, event: Start, now: float) -> list[Any]:
        """Search for the charger."""
        self.start("setup", now + timing.V2G_EVCC_COMMUNICATION_SETUP_S)
        return self.enter(S.SEARCHING, Report(Step.SEARCHING), *self._search(now))

    def _search(self, now: float) -> list[Any]:
        self._searches += 1
        self.start("search", now + timing.SDP_RETRY_S)
        security = sdp.SECURITY_NONE if self.settings.tls == "none" else sdp.SECURITY_TLS
        return [SendSdp(sdp.Request(security).to_bytes())]

    @on(S.SEARCHING, timer="search", to=S.ENDED)
    def search_over(self, now: float) -> list[Any]:
        """Ask again, up to SDP_RETRIES times."""
        if self._searches >= timing.SDP_RETRIES:
            return self._fail(self._overlooked or f"no charger answered {self._searches} requests")
        return self._search(now)

    @on(S.SEARCHING, event=SdpAnswer, to=S.CONNECTING)
    def answered(self, event: SdpAnswer, now: float) -> list[Any]:
        """Connect to the charger that answered; ignore what is no answer."""
        try:
            response = sdp.parse_response(event.data)
        except PeerError as error:
            return [Report(Step.SEARCHING, str(error))]
        tls = response.security == sdp.SECURITY_TLS
        if tls and self.settings.tls == "none":
            self._overlooked = "the charger wants TLS"
        elif not tls and self.settings.tls == "require":
            self._overlooked = "the charger offers no TLS"
        else:
            return self.enter(S.CONNECTING, Connect(str(response.address), response.port, tls))
        return [Report(Step.SEARCHING, self._overlooked)]

    @on(S.CONNECTING, event=Connected, to=(S.HANDSHAKE, S.ENDED))
    def connected(self, event: Connected, now: float) -> list[Any]:
        """Begin the handshake."""
        self.facts.charger.tls_version = event.tls_version
        if not self._offered:
            how = f"TLS {event.tls_version}" if event.tls_version else "plain TCP"
            return self._fail(f"the car speaks nothing over {how}")
        payload = codec("sap").encode(handshake.offer(self._offered))
        name = "SupportedAppProtocolReq"
        self._expect(MAIN, "supportedAppProtocolRes", timing.V2G_EVCC_MSG_TIMEOUT_S, now)
        self.enter(S.HANDSHAKE)
        how = f"TLS {event.tls_version}" if event.tls_version else ""
        return [Report(Step.CONNECTED, how), *self._send(name, Frame(EXI_DIN_ISO2, payload), now)]

    @on(*_READING, event=Received, to=(S.SESSION, S.ENDED))
    def received(self, event: Received, now: float) -> list[Any]:
        """Take the response that the bytes complete."""
        effects: list[Any] = []
        try:
            for frame in self._receiver.feed(event.data):
                effects += self._take(frame, now)
        except (PeerError, Failed) as error:
            return [*effects, *self._fail(str(error))]
        return effects

    @on(S.CONNECTING, *_READING, event=Disconnected, to=S.ENDED)
    def disconnected(self, event: Disconnected, now: float) -> list[Any]:
        """End: the connection is gone, or could not be made."""
        return self._fail(event.reason)

    @on(S.SEARCHING, S.CONNECTING, event=FactsChanged, to=S.ENDED)
    def wish_before_session(self, event: FactsChanged, now: float) -> list[Any]:
        """End where the car does not want the session any more."""
        return self._stop("terminated", "the car wants to") if self._urgent() else []

    @on(*_READING, event=FactsChanged)
    def wish_in_session(self, event: FactsChanged, now: float) -> list[Any]:
        """Send the next request now where a wish cannot wait for its time."""
        return self._turn(now) if self._urgent() and self.due("turn") is not None else []

    def _urgent(self) -> bool:
        facts = self.facts
        return facts.stop or facts.pause or facts.renegotiate or facts.error_code != "NO_ERROR"

    @on(*_RUNNING, S.ENDED, event=Start)
    @on(S.IDLE, S.CONNECTING, S.HANDSHAKE, S.SESSION, S.ENDED, event=SdpAnswer)
    @on(S.IDLE, S.SEARCHING, S.HANDSHAKE, S.SESSION, S.ENDED, event=Connected)
    @on(S.IDLE, S.SEARCHING, S.CONNECTING, S.ENDED, event=Received)
    @on(S.IDLE, S.SEARCHING, S.ENDED, event=Disconnected)
    @on(S.IDLE, S.ENDED, event=FactsChanged)
    def ignored(self, event: Any, now: float) -> list[Any]:
        """Ignore it: it comes too late or twice."""
        return []

    # -- timers

    @on(*_RUNNING, timer="setup", to=S.ENDED)
    def setup_over(self, now: float) -> list[Any]:
        """Fail: there is no session within V2G_EVCC_CommunicationSetup_Timer."""
        return self._fail(f"no session within {timing.V2G_EVCC_COMMUNICATION_SETUP_S:g} s")

    @on(*_READING, timer="response", to=S.ENDED)
    def response_over(self, now: float) -> list[Any]:
        """Fail: the response did not come in time."""
        return self._fail(f"no {self._waiting.get(self._stream, 'response')} in time")

    @on(S.SESSION, timer="multiplexed response", to=S.ENDED)
    def multiplexed_response_over(self, now: float) -> list[Any]:
        """Fail: the response to a request beside the main stream did not come in time."""
        late = [name for stream, name in self._waiting.items() if stream != self._stream]
        return self._fail(f"no {', '.join(late)} in time")

    @on(*_READING, timer="late")
    def late_over(self, now: float) -> list[Any]:
        """Send what was held back on purpose."""
        held, self._held = self._held, []
        return held

    @on(*_READING, timer="silence", to=S.ENDED)
    def silence_over(self, now: float) -> list[Any]:
        """End a silence that the script asked for."""
        return self._fail("the car was silent on purpose")

    @on(S.SESSION, timer="limit", to=S.ENDED)
    def limit_over(self, now: float) -> list[Any]:
        """Fail: a part of the session took too long."""
        assert self.session is not None
        return self._fail(f"{self.session.limited} took too long")

    @on(S.SESSION, timer="ready to charge", to=S.ENDED)
    def ready_to_charge_over(self, now: float) -> list[Any]:
        """Fail: the power did not flow in time (DIN SPEC 70121)."""
        return self._fail("ready to charge took too long")

    @on(S.SESSION, timer="turn")
    def turn_over(self, now: float) -> list[Any]:
        """Send the next request: the pause before it is over."""
        return self._turn(now)

    # -- session

    def _expect(self, stream: str, response: str, limit_s: float, now: float) -> None:
        self._waiting[stream] = response
        timer = "response" if stream == self._stream else "multiplexed response"
        self.start(timer, now + limit_s * self.settings.timeout_factor)

    def _take(self, frame: Frame, now: float) -> list[Any]:
        protocol, session = self.protocol, self.session
        streams = {EXI_DIN_ISO2: MAIN} if protocol is None else protocol.streams
        stream = streams.get(frame.payload_type)
        if stream is None:
            raise PeerError("V2GTP", f"payload type 0x{frame.payload_type:04X}")
        if protocol is None or session is None:
            return self._negotiate(frame, now)
        due = self._waiting.pop(stream, "")
        if not due:
            raise PeerError("V2G", "a response to no request")
        response = protocol.decode(frame)
        if response.name != due:
            raise PeerError("V2G", f"{response.name} where {due} was due")
        if response.name == "SessionSetupRes":
            session.session_id = response.session_id
        elif response.session_id != session.session_id:
            raise PeerError("ISO 15118-2 [V2G2-751]", f"{response.name} of another session")
        session.received_signature = response.signature
        if stream != self._stream:
            self.stop("multiplexed response")
            session.take_multiplexed(response.name, response.body, now)
            return session.take_effects()
        self.stop("response")
        pause_s = session.take(response.body, now)
        if response.name == "SessionSetupRes":
            self.stop("setup")
        if session.over:
            return self._stop(session.outcome, session.reason)
        if pause_s <= 0:
            return self._turn(now)
        self.start("turn", now + pause_s)
        return session.take_effects()

    def _negotiate(self, frame: Frame, now: float) -> list[Any]:
        response = codec("sap").decode(frame.payload)
        if not isinstance(response, sap.supportedAppProtocolRes):
            raise PeerError("V2G", "no answer to the handshake")
        self._waiting.pop(MAIN, None)
        chosen = handshake.accepted(response, self._offered)
        if chosen is None:
            raise Failed(f"the charger speaks none of {', '.join(self.protocols)}")
        self.facts.charger.protocol = chosen.text
        self.protocol = protocols()[next(name for name, app in self._offers() if app == chosen)]
        self.session = self.protocol.new_session(chosen, self.settings, self.facts, self)
        self.enter(S.SESSION)
        return [Report(Step.NEGOTIATED, chosen.text), *self._turn(now)]

    def _turn(self, now: float) -> list[Any]:
        """Send the next request, and one of another stream beside it where there is one."""
        assert self.session is not None and self.protocol is not None
        session, protocol = self.session, self.protocol
        self.stop("turn")
        try:
            body = session.next(now)
            name = type(body).__name__
            self._stream = session.stream
            frame = protocol.encode(self._message(name, body), self._stream)
        except (Failed, EncodeError) as error:
            return self._fail(str(error))
        self._expect(self._stream, session.expected(), protocol.message_timeout_s(name), now)
        effects = [*session.take_effects(), *self._send(name, frame, now)]
        try:
            return effects + (self._beside(now) if len(self._waiting) == 1 else [])
        except (Failed, EncodeError) as error:
            return effects + self._fail(str(error))

    def _beside(self, now: float) -> list[Any]:
        """Send a request of another stream where there is one."""
        assert self.session is not None and self.protocol is not None
        session, protocol = self.session, self.protocol
        beside = session.next_multiplexed(now)
        if beside is None:
            return []
        name = type(beside.body).__name__
        self._expect(beside.stream, beside.expected, protocol.message_timeout_s(name), now)
        frame = protocol.encode(session.message(beside.body), beside.stream)
        return [*session.take_effects(), *self._send(name, frame, now)]

    def _message(self, name: str, body: Any) -> Any:
        """Return the whole message; with the id of another session where the script wants that."""
        assert self.session is not None
        right = self.session.session_id
        if misbehaviour.named(self.settings.misbehaviours, "session", name):
            self.session.session_id = bytes(byte ^ 0xFF for byte in right)
        message = self.session.message(body)
        self.session.session_id = right
        return message

    def _send(self, name: str, frame: Frame, now: float) -> list[Any]:
        """Return the effects that send this request, or what the script wants in its place."""
        wrong = self.settings.misbehaviours
        if self._silent or misbehaviour.named(wrong, "silent", name):
            self._silent = True
            self.stop("response")
            self.stop("multiplexed response")
            self.start("silence", now + misbehaviour.SILENT_LIMIT_S)
            return [Report(Step.MISBEHAVING, f"silent where {name} is due")]
        if misbehaviour.named(wrong, "garbage", name):
            frame = Frame(frame.payload_type, b"\x80" + b"\xff" * 16)
        effects: list[Any] = [Send(frame.to_bytes(), name)]
        if misbehaviour.named(wrong, "repeat", name):
            effects *= 2
        late = misbehaviour.named(wrong, "late", name)
        if late is None:
            return effects
        self._held += effects
        self.start("late", now + late.seconds)
        due = self.due("response")
        if due is not None:
            self.start("response", due + late.seconds)
        return [Report(Step.MISBEHAVING, f"{name} {late.seconds:g} s late")]

    # -- end

    def _fail(self, reason: str) -> list[Any]:
        return self._stop("failed", reason)

    def _stop(self, outcome: str, reason: str = "") -> list[Any]:
        effects: list[Any] = []
        session, session_id, paused = self.session, b"", None
        if session is not None:
            effects += session.take_effects()
            paused = session.paused if outcome == "paused" else None
            session_id = b"" if paused is None else paused.session_id
            if session.power_on:
                session.power_on = False
                effects.append(Power(False))
        if outcome == "failed" and self.state is S.SESSION:
            effects.append(SetPilot("B"))
        if self.state is not S.SEARCHING:
            effects.append(Close())
        self._waiting.clear()
        effects += [Report(Step.ENDED, reason or outcome), SessionStopped(outcome, reason, session_id, paused)]
        return self.enter(S.ENDED, *effects)
