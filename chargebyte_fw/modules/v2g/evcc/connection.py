"""The car's machine: search, connection, handshake, session, end."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Machine, Timeout, on
from chargebyte_fw.modules.v2g import handshake, sdp, timing
from chargebyte_fw.modules.v2g.evcc.common.session import CarDialogue, Failed
from chargebyte_fw.modules.v2g.evcc.din.session import DinCar
from chargebyte_fw.modules.v2g.evcc.iso2.session import Iso2AcCar, Iso2DcCar
from chargebyte_fw.modules.v2g.evcc.types import (
    CarFacts,
    CarSettings,
    Close,
    Connect,
    Connected,
    Disconnected,
    FactsChanged,
    Power,
    Received,
    Report,
    SdpAnswer,
    Send,
    SendSdp,
    SessionStopped,
    SetPilot,
    Start,
    Step,
)
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.handshake import DIN70121
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


_RUNNING = (EvccState.SEARCHING, EvccState.CONNECTING, EvccState.HANDSHAKE, EvccState.SESSION)


class Evcc(Machine):
    """One session of a car: feed it events and time, carry out its effects (see the package's sketch)."""

    def __init__(self, settings: CarSettings, facts: CarFacts) -> None:
        super().__init__(EvccState.IDLE)
        self.settings = settings
        self.facts = facts
        self.dialogue: CarDialogue | None = None
        self._receiver = Receiver()
        self._timers: dict[str, float] = {}
        self._searches = 0
        self._waiting_for = ""

    @property
    def protocols(self) -> tuple[str, ...]:
        """What the car offers: DIN 70121 knows no AC."""
        if self.settings.energy_transfer_mode.startswith("AC"):
            return tuple(name for name in self.settings.protocols if name != DIN70121.name)
        return self.settings.protocols

    @property
    def _offered(self) -> tuple[handshake.AppProtocol, ...]:
        known = {one.name: one for one in (handshake.DIN70121, handshake.ISO15118D2)}
        return tuple(known[name] for name in self.protocols)

    # -- search and connection

    @on(EvccState.IDLE, event=Start)
    def begin(self, event: Start, now: float) -> list[Any]:
        """Look for the charger."""
        self.state = EvccState.SEARCHING
        self._timers["setup"] = now + timing.V2G_EVCC_COMMUNICATION_SETUP_S
        return self._done([Report(Step.SEARCHING), *self._search(now)])

    def _search(self, now: float) -> list[Any]:
        self._searches += 1
        self._timers["search"] = now + timing.SDP_RETRY_S
        return [SendSdp(sdp.Request().to_bytes())]

    @on(EvccState.SEARCHING, event=SdpAnswer)
    def answered(self, event: SdpAnswer, now: float) -> list[Any]:
        """Connect to the charger that answered; overlook what is no answer."""
        try:
            response = sdp.parse_response(event.data)
        except PeerError as error:
            return self._done([Report(Step.SEARCHING, str(error))])
        if response.security != sdp.SECURITY_NONE:
            return self._done([Report(Step.SEARCHING, "the charger wants TLS")])
        self.state = EvccState.CONNECTING
        self._timers.pop("search", None)
        return self._done([Connect(str(response.address), response.port)])

    @on(EvccState.CONNECTING, event=Connected)
    def connected(self, event: Connected, now: float) -> list[Any]:
        """Shake hands."""
        self.state = EvccState.HANDSHAKE
        payload = codec("sap").encode(handshake.offer(self._offered))
        self._expect("supportedAppProtocolRes", "SupportedAppProtocolReq", now)
        return self._done([Report(Step.CONNECTED), _send(payload, "SupportedAppProtocolReq")])

    @on(EvccState.HANDSHAKE, EvccState.SESSION, event=Received)
    def received(self, event: Received, now: float) -> list[Any]:
        """Take the response that the bytes complete."""
        effects: list[Any] = []
        try:
            for frame in self._receiver.feed(event.data):
                effects += self._take(frame, now)
        except (PeerError, Failed) as error:
            return [*effects, *self._fail(str(error))]
        return self._done(effects)

    @on(EvccState.CONNECTING, EvccState.HANDSHAKE, EvccState.SESSION, event=Disconnected)
    def disconnected(self, event: Disconnected, now: float) -> list[Any]:
        """End: there is nobody to talk to."""
        return self._fail(event.reason)

    @on(*_RUNNING, event=FactsChanged)
    def facts_changed(self, event: FactsChanged, now: float) -> list[Any]:
        """Say at once what could not wait for the next turn."""
        facts = self.facts
        urgent = facts.stop or facts.pause or facts.renegotiate or facts.error_code != "NO_ERROR"
        if not urgent:
            return []
        if self.state in (EvccState.SEARCHING, EvccState.CONNECTING):
            return self._stop("terminated", "the car wants to")
        if "turn" in self._timers:
            return self._turn(now)
        return []

    @on(event=Start)
    @on(event=SdpAnswer)
    @on(event=Connected)
    @on(event=Received)
    @on(event=Disconnected)
    @on(event=FactsChanged)
    def overlooked(self, event: Any, now: float) -> list[Any]:
        """Take no notice: it comes too late or twice."""
        return []

    @on(*_RUNNING, event=Timeout)
    def timeout(self, event: Timeout, now: float) -> list[Any]:
        """Let pass what is due."""
        due = [name for name, at in self._timers.items() if at <= now]
        for name in due:
            del self._timers[name]
        if "setup" in due:
            return self._fail(f"no session within {timing.V2G_EVCC_COMMUNICATION_SETUP_S:g} s")
        if "response" in due:
            return self._fail(f"no {self._waiting_for} in time")
        if self.dialogue is not None:
            for what, at in self.dialogue.limits.items():
                if at <= now:
                    return self._fail(f"{what} took too long")
        if "search" in due:
            if self._searches >= timing.SDP_RETRIES:
                return self._fail(f"no charger answered {self._searches} requests")
            return self._done(self._search(now))
        if "turn" in due:
            return self._turn(now)
        return self._done([])

    # -- session

    def _expect(self, response: str, request: str, now: float) -> None:
        schema_set = self.dialogue.schema_set if self.dialogue is not None else "sap"
        limit_s = timing.message_timeout_s(schema_set, request) * self.settings.timeout_factor
        self._waiting_for, self._timers["response"] = response, now + limit_s

    def _take(self, frame: Frame, now: float) -> list[Any]:
        if frame.payload_type != EXI_DIN_ISO2:
            raise PeerError("V2GTP", f"payload type 0x{frame.payload_type:04X}")
        if self.state is EvccState.HANDSHAKE:
            return self._shake_hands(frame, now)
        dialogue = self.dialogue
        if dialogue is None or not self._waiting_for:
            raise PeerError("V2G", "a response to no request")
        message = codec(dialogue.schema_set).decode(frame.payload)
        name = type(message.Body).__name__
        if name != self._waiting_for:
            raise PeerError("V2G", f"{name} where {self._waiting_for} was due")
        self._check_session(message.Header.SessionID, name)
        self._timers.pop("response", None)
        self._waiting_for = ""
        pause_s = dialogue.take(message.Body, now)
        if name == "SessionSetupRes":
            self._timers.pop("setup", None)
        if dialogue.over:
            return self._stop(dialogue.outcome)
        if pause_s <= 0:
            return self._turn(now)
        self._timers["turn"] = now + pause_s
        return self._collected()

    def _check_session(self, session_id: bytes, name: str) -> None:
        assert self.dialogue is not None
        if name == "SessionSetupRes":
            self.dialogue.session_id = session_id
        elif session_id != self.dialogue.session_id:
            raise PeerError("ISO 15118-2 [V2G2-751]", f"{name} of another session")

    def _shake_hands(self, frame: Frame, now: float) -> list[Any]:
        response = codec("sap").decode(frame.payload)
        if not isinstance(response, sap.supportedAppProtocolRes):
            raise PeerError("V2G", "no answer to the handshake")
        protocol = handshake.accepted(response, self._offered)
        if protocol is None:
            raise Failed(f"the charger speaks none of {', '.join(self.protocols)}")
        self.facts.charger.protocol = protocol.text
        kind: type[CarDialogue] = Iso2DcCar
        if protocol is DIN70121:
            kind = DinCar
        elif self.settings.energy_transfer_mode.startswith("AC"):
            kind = Iso2AcCar
        self.dialogue = kind(self.settings, self.facts)
        self.state = EvccState.SESSION
        return [Report(Step.NEGOTIATED, protocol.text), *self._turn(now)]

    def _turn(self, now: float) -> list[Any]:
        """Send the next request."""
        assert self.dialogue is not None
        dialogue = self.dialogue
        self._timers.pop("turn", None)
        body = dialogue.next(now)
        m = dialogue.m
        message = m.V2G_Message(Header=m.MessageHeaderType(SessionID=dialogue.session_id), Body=body)
        name = type(body).__name__
        self._expect(dialogue.expected(), name, now)
        return self._done([*self._collected(), _send(codec(dialogue.schema_set).encode(message), name)])

    def _collected(self) -> list[Any]:
        assert self.dialogue is not None
        effects, self.dialogue.effects = self.dialogue.effects, []
        return effects

    # -- end

    def _fail(self, reason: str) -> list[Any]:
        return self._stop("failed", reason)

    def _stop(self, outcome: str, reason: str = "") -> list[Any]:
        effects: list[Any] = []
        session_id = b""
        if self.dialogue is not None:
            effects += self._collected()
            session_id = self.dialogue.session_id if outcome == "paused" else b""
            if self.dialogue.power_on:
                self.dialogue.power_on = False
                effects.append(Power(False))
        if outcome == "failed" and self.state is EvccState.SESSION:
            effects.append(SetPilot("B"))
        if self.state not in (EvccState.IDLE, EvccState.SEARCHING):
            effects.append(Close())
        self._timers = {}
        self._waiting_for = ""
        effects += [Report(Step.ENDED, reason or outcome), SessionStopped(outcome, reason, session_id)]
        return self.enter(EvccState.ENDED, *effects)

    def _done(self, effects: list[Any]) -> list[Any]:
        if self.state is not EvccState.ENDED:
            limits = self.dialogue.limits.values() if self.dialogue is not None else ()
            self.deadline = min((*self._timers.values(), *limits), default=None)
        return effects


def _send(payload: bytes, name: str) -> Send:
    return Send(Frame(EXI_DIN_ISO2, payload).to_bytes(), name)
