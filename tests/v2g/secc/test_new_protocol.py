"""A protocol that the product does not have, with rules like ISO 15118-20's: it fits in without an edit elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.connection import Secc
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.secc.protocol import (
    Answer,
    Deferred,
    Environment,
    Outline,
    Protocol,
    Request,
    SessionContext,
)
from chargebyte_fw.modules.v2g.secc.registry import protocols
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.v2gtp import Frame, Receiver
from tests.v2g.pair import START

COMMON, DC, SCHEDULE = 0x8002, 0x8004, 0x8101
TYPES = {"SessionSetup": COMMON, "ScheduleRenegotiation": SCHEDULE}


class Message(msgspec.Struct):
    """A message of the protocol: no header and body, the session id within."""

    name: str
    session_id: bytes
    ResponseCode: str = ""


class State(Enum):
    SETUP = auto()
    CHARGING = auto()


class NewSession:
    """Defers each DC_ChargeLoop until the contactor is closed; renegotiates the schedule meanwhile."""

    def __init__(self, context: SessionContext) -> None:
        self.context = context
        self.state = State.SETUP
        self.session_id = b""
        self.refuse_all = False

    def answer(self, request: Request, now: float) -> Answer | Deferred:
        if request.name == "SessionSetupReq":
            self.session_id = self.context.environment.random_bytes(8)
            self.state = State.CHARGING
            return Answer(self._body("SessionSetupRes"))
        if request.session_id != self.session_id:
            return self.refuse_unread(Outline(request.name, request.session_id))
        if request.name == "DC_ChargeLoopReq" and not self.context.facts.contactor_closed:
            return Deferred(now + 5.0)
        in_loop = request.name == "DC_ChargeLoopReq"
        return Answer(self._body(request.name[:-3] + "Res"), next_request_s=2.0 if in_loop else None)

    def _body(self, name: str, code: str = "OK") -> Message:
        return type(name, (Message,), {})(name, self.session_id, code)

    def refuse_unread(self, outline: Outline) -> Answer:
        return Answer(self._body(outline.name[:-3] + "Res", "FAILED"), end="error")

    def refuse_unwritable(self, name: str) -> Answer:
        return self.refuse_unread(Outline(name, b""))

    def message(self, answer: Answer) -> Any:
        return answer.body

    def connection_ends(self) -> None: ...

    def take_effects(self) -> list[Any]:
        return []


class NewProtocol:
    app = AppProtocol("ISO15118D20", "urn:iso:std:iso:15118:-20:DC", 1, 0, "iso20", "ISO15118-20:DC")
    streams: Mapping[int, str] = {COMMON: "main", DC: "main", SCHEDULE: "schedule"}
    failure_reasons: Mapping[str, FailureReason | None] = {"DC_ChargeLoopReq": FailureReason.ChargingInterrupted}
    sequence_timeout_s = 30.0
    sequence_timeout_clause = "[V2G20-...]"

    def is_offered(self, facts: ChargerFacts, settings: Settings) -> bool:
        return True

    def prepare(self) -> None: ...

    def load(self, facts: ChargerFacts) -> Sequence[str]:
        return ()

    def decode(self, frame: Frame) -> Request:
        try:
            message = msgspec.json.decode(frame.payload, type=Message)
        except msgspec.DecodeError as error:
            raise ExiError(str(error)) from None
        return Request(message.name, message.session_id, message, message)

    def outline(self, frame: Frame) -> Outline | None:
        return None

    def encode(self, message: Any, stream: str) -> Frame:
        assert (stream == "schedule") == (message.name[:-3] == "ScheduleRenegotiation")
        return Frame(TYPES.get(message.name[:-3], DC), msgspec.json.encode(message))

    def new_session(self, context: SessionContext) -> NewSession:
        return NewSession(context)


NEW: Protocol = NewProtocol()


class Car:
    """Sends requests of the new protocol."""

    def __init__(self) -> None:
        self.facts = ChargerFacts(app_protocols=["ISO15118D2", "ISO15118D20"])
        environment = Environment(lambda n: bytes(range(1, n + 1)), lambda: START)
        self.machine = Secc((*protocols(), NEW), self.facts, Settings(), environment)
        self.log: list[Any] = self.machine.feed(out.Connected(Security("1.3", peer_chain=(b"certificate",))), 0.0)
        offer = codec("sap").encode(handshake.offer([NEW.app, handshake.ISO15118D2]))
        self.log += self.machine.feed(out.Received(Frame(0x8001, offer).to_bytes()), 0.0)

    def ask(self, name: str, session_id: bytes = b"", payload_type: int = 0, now: float = 1.0) -> list[Frame]:
        frame = NEW.encode(Message(name, session_id), NEW.streams[TYPES.get(name[:-3], DC)])
        if payload_type:
            frame = Frame(payload_type, frame.payload)
        return self.frames(self.machine.feed(out.Received(frame.to_bytes()), now))

    def frames(self, effects: list[Any]) -> list[Frame]:
        self.log += effects
        receiver = Receiver()
        return [frame for one in effects if isinstance(one, out.Send) for frame in receiver.feed(one.data)]

    def values(self, variable: str) -> list[Any]:
        return [one.value for one in self.log if getattr(one, "variable", "") == variable]


def test_it_is_negotiated_by_its_name_space_and_has_sessions_of_its_own() -> None:
    car = Car()
    assert car.values("selected_protocol") == ["ISO15118-20:DC"]
    (frame,) = car.ask("SessionSetupReq")
    assert frame.payload_type == COMMON
    assert NEW.decode(frame).session_id == bytes(range(1, 9))
    assert isinstance(car.machine.session, NewSession)
    assert car.machine.session.context.security.peer_certificate == b"certificate"


def test_messages_of_another_stream_do_not_wait_for_the_charge_loop() -> None:
    car = Car()
    session_id = NEW.decode(car.ask("SessionSetupReq")[0]).session_id
    assert car.ask("DC_ChargeLoopReq", session_id) == []
    assert car.ask("DC_ChargeLoopReq", session_id) == [], "a second one of the stream waits for the first"
    (schedule,) = car.ask("ScheduleRenegotiationReq", session_id)
    assert schedule.payload_type == SCHEDULE
    car.facts.contactor_closed = True
    loops = car.frames(car.machine.feed(out.FactsChanged(), 2.0))
    assert [frame.payload_type for frame in loops] == [DC, DC]


def test_a_deferred_answer_is_asked_for_again_at_its_time() -> None:
    car = Car()
    session_id = NEW.decode(car.ask("SessionSetupReq")[0]).session_id
    car.ask("DC_ChargeLoopReq", session_id, now=1.0)
    assert car.machine.due("deferred") == 6.0


def test_payload_types_of_other_protocols_are_not_its_own() -> None:
    car = Car()
    assert car.ask("SessionSetupReq", payload_type=0x8001) == []
    assert [one.text for one in car.log if isinstance(one, out.ProtocolViolation)] == [
        "a frame of payload type 0x8001 in a session of 0x8002, 0x8004, 0x8101"
    ]


def test_an_answer_may_leave_less_time_for_the_next_request() -> None:
    car = Car()
    session_id = NEW.decode(car.ask("SessionSetupReq")[0]).session_id
    car.facts.contactor_closed = True
    car.ask("DC_ChargeLoopReq", session_id, now=5.0)
    car.log += car.machine.wake(7.0)
    assert "no request for 2 s [V2G20-...]" in [getattr(one, "text", "") for one in car.log]


def test_time_out_and_failure_are_its_own() -> None:
    car = Car()
    session_id = NEW.decode(car.ask("SessionSetupReq")[0]).session_id
    car.ask("DC_ChargeLoopReq", session_id, now=1.0)
    assert car.machine.due("sequence") == 31.0
    car.log += car.machine.wake(31.0)
    assert car.values("hlc_session_failed") == [FailureReason.ChargingInterrupted]
    assert "no request for 30 s [V2G20-...]" in [getattr(one, "text", "") for one in car.log]
