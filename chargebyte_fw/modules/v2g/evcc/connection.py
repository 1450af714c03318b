"""The car's machine: search, connection, handshake, session, end. It knows no protocol: `evcc/protocol.py`."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.v2g import handshake, sdp, timing
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
from chargebyte_fw.modules.v2g.evcc.protocol import CarSession, Failed, Protocol
from chargebyte_fw.modules.v2g.evcc.registry import protocols
from chargebyte_fw.modules.v2g.exi import codec
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
        self._waiting_for = ""

    @property
    def protocols(self) -> tuple[str, ...]:
        """The names of the protocols that the car offers: those that know its energy transfer mode."""
        mode, known = self.settings.energy_transfer_mode, protocols()
        return tuple(name for name in self.settings.protocols if known[name].has_mode(mode))

    @property
    def _offered(self) -> tuple[handshake.AppProtocol, ...]:
        return tuple(protocols()[name].app for name in self.protocols)

    # -- search and connection

    @on(S.IDLE, event=Start, to=S.SEARCHING)
    def begin(self, event: Start, now: float) -> list[Any]:
        """Search for the charger."""
        self.start("setup", now + timing.V2G_EVCC_COMMUNICATION_SETUP_S)
        return self.enter(S.SEARCHING, Report(Step.SEARCHING), *self._search(now))

    def _search(self, now: float) -> list[Any]:
        self._searches += 1
        self.start("search", now + timing.SDP_RETRY_S)
        return [SendSdp(sdp.Request().to_bytes())]

    @on(S.SEARCHING, timer="search", to=S.ENDED)
    def search_over(self, now: float) -> list[Any]:
        """Ask again, up to SDP_RETRIES times."""
        if self._searches >= timing.SDP_RETRIES:
            return self._fail(f"no charger answered {self._searches} requests")
        return self._search(now)

    @on(S.SEARCHING, event=SdpAnswer, to=S.CONNECTING)
    def answered(self, event: SdpAnswer, now: float) -> list[Any]:
        """Connect to the charger that answered; ignore what is no answer."""
        try:
            response = sdp.parse_response(event.data)
        except PeerError as error:
            return [Report(Step.SEARCHING, str(error))]
        if response.security != sdp.SECURITY_NONE:
            return [Report(Step.SEARCHING, "the charger wants TLS")]
        return self.enter(S.CONNECTING, Connect(str(response.address), response.port))

    @on(S.CONNECTING, event=Connected, to=S.HANDSHAKE)
    def connected(self, event: Connected, now: float) -> list[Any]:
        """Begin the handshake."""
        payload = codec("sap").encode(handshake.offer(self._offered))
        name = "SupportedAppProtocolReq"
        self._expect("supportedAppProtocolRes", timing.V2G_EVCC_MSG_TIMEOUT_S, now)
        send = Send(Frame(EXI_DIN_ISO2, payload).to_bytes(), name)
        return self.enter(S.HANDSHAKE, Report(Step.CONNECTED), send)

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
        return self._fail(f"no {self._waiting_for} in time")

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

    def _expect(self, response: str, limit_s: float, now: float) -> None:
        self._waiting_for = response
        self.start("response", now + limit_s * self.settings.timeout_factor)

    def _take(self, frame: Frame, now: float) -> list[Any]:
        types = frozenset((EXI_DIN_ISO2,)) if self.protocol is None else self.protocol.payload_types
        if frame.payload_type not in types:
            raise PeerError("V2GTP", f"payload type 0x{frame.payload_type:04X}")
        if self.protocol is None:
            return self._negotiate(frame, now)
        session = self.session
        if session is None or not self._waiting_for:
            raise PeerError("V2G", "a response to no request")
        response = self.protocol.decode(frame)
        if response.name != self._waiting_for:
            raise PeerError("V2G", f"{response.name} where {self._waiting_for} was due")
        if response.name == "SessionSetupRes":
            session.session_id = response.session_id
        elif response.session_id != session.session_id:
            raise PeerError("ISO 15118-2 [V2G2-751]", f"{response.name} of another session")
        self.stop("response")
        self._waiting_for = ""
        pause_s = session.take(response.body, now)
        if response.name == "SessionSetupRes":
            self.stop("setup")
        if session.over:
            return self._stop(session.outcome)
        if pause_s <= 0:
            return self._turn(now)
        self.start("turn", now + pause_s)
        return session.take_effects()

    def _negotiate(self, frame: Frame, now: float) -> list[Any]:
        response = codec("sap").decode(frame.payload)
        if not isinstance(response, sap.supportedAppProtocolRes):
            raise PeerError("V2G", "no answer to the handshake")
        chosen = handshake.accepted(response, self._offered)
        if chosen is None:
            raise Failed(f"the charger speaks none of {', '.join(self.protocols)}")
        self.facts.charger.protocol = chosen.text
        self.protocol = protocols()[chosen.name]
        self.session = self.protocol.new_session(self.settings, self.facts, self)
        self.enter(S.SESSION)
        return [Report(Step.NEGOTIATED, chosen.text), *self._turn(now)]

    def _turn(self, now: float) -> list[Any]:
        """Send the next request."""
        assert self.session is not None and self.protocol is not None
        session, protocol = self.session, self.protocol
        self.stop("turn")
        body = session.next(now)
        name = type(body).__name__
        frame = protocol.encode(session.message(body)).to_bytes()
        self._expect(session.expected(), protocol.message_timeout_s(name), now)
        return [*session.take_effects(), Send(frame, name)]

    # -- end

    def _fail(self, reason: str) -> list[Any]:
        return self._stop("failed", reason)

    def _stop(self, outcome: str, reason: str = "") -> list[Any]:
        effects: list[Any] = []
        session, session_id = self.session, b""
        if session is not None:
            effects += session.take_effects()
            session_id = session.session_id if outcome == "paused" else b""
            if session.power_on:
                session.power_on = False
                effects.append(Power(False))
        if outcome == "failed" and self.state is S.SESSION:
            effects.append(SetPilot("B"))
        if self.state is not S.SEARCHING:
            effects.append(Close())
        self._waiting_for = ""
        effects += [Report(Step.ENDED, reason or outcome), SessionStopped(outcome, reason, session_id)]
        return self.enter(S.ENDED, *effects)
