"""What a protocol gives to a connection: frames to requests and back, its sessions, its times.

`secc/connection.py` knows these types and no protocol. Each protocol is a folder whose `protocol.py` has a `PROTOCOL`
that fulfils `Protocol`; the module file names it to the engine (`secc/__init__.py`, "Add a protocol").
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import Any, Literal

import msgspec

from chargebyte_fw.contracts.types import iso15118
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedReasonEnum as FailureReason
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.secc.effects import SessionEnd
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts, Settings
from chargebyte_fw.modules.v2g.security import PLAIN, Security
from chargebyte_fw.modules.v2g.v2gtp import Frame


class Environment(msgspec.Struct):
    """Randomness and wall-clock time."""

    random_bytes: Callable[[int], bytes]
    utc_now: Callable[[], datetime]

    def new_session_id(self) -> bytes:
        """Return a new session id: eight random octets, never all zero, which stands for no session ([V2G2-460])."""
        while not any(drawn := self.random_bytes(8)):
            pass
        return drawn


MAIN_STREAM = "main"
"""The stream in which a session goes on; the others are beside it."""


class SessionContext(msgspec.Struct):
    """What a new session gets: the charger's facts and settings, and what belongs to the connection."""

    facts: ChargerFacts
    settings: Settings
    environment: Environment
    offered: list[iso15118.AppProtocol]
    """The car's offers in supportedAppProtocolReq."""
    selected: iso15118.AppProtocol
    security: Security = PLAIN
    """How the connection is secured: Plug and Charge is offered only with TLS."""


class Request(msgspec.Struct):
    """A request of the car: its name (`CurrentDemandReq`), session id, body and whole message."""

    name: str
    session_id: bytes
    body: Any
    message: Any
    stream: str = MAIN_STREAM
    """The stream that it came in."""
    payload: bytes = b""
    """The message as it came, for those to whom it is passed on."""


class Outline(msgspec.Struct, frozen=True):
    """As much of a request as could be read: its name and session id."""

    name: str
    session_id: bytes


class Encoded(msgspec.Struct, frozen=True):
    """A whole response of another party, with its signature: it is sent unchanged, byte for byte."""

    frame: Frame
    message: Any = None
    """None: it could not be decoded."""


class Answer(msgspec.Struct):
    """The body of a response, and how the session ends with it (empty: it goes on)."""

    body: Any
    end: SessionEnd | Literal[""] = ""
    log: str = ""
    violation: bool = False
    """The request broke a rule: `log` is a warning."""
    next_request_s: float | None = None
    """How long the charger waits for the next request from this response on; None: the protocol's time since the
    request."""
    encoded: Encoded | None = None
    """What is sent in place of `body`, which then has its response code alone."""
    signature: Any = None
    """Of elements of `body`, for the header."""

    @property
    def code(self) -> str:
        """The response code."""
        return str(self.body.ResponseCode)

    @property
    def name(self) -> str:
        """The name of the response."""
        return type(self.body).__name__


class Deferred(msgspec.Struct):
    """A fact is missing: ask again when one changed, at the latest at monotonic second `until`."""

    until: float


class Session(typing.Protocol):
    """A V2G session: the rules of one protocol from SessionSetupReq to its end."""

    refuse_all: bool
    """Refuse every request but those that end the session: the car had its time to stop."""

    @property
    def state(self) -> Enum:
        """What the session waits for."""

    def answer(self, request: Request, now: float) -> Answer | Deferred:
        """Return the response to a request, or Deferred; effects beside it are in `take_effects`."""

    def refuse_unread(self, outline: Outline) -> Answer:
        """Refuse a request that could not be decoded as a whole."""

    def refuse_unwritable(self, name: str) -> Answer:
        """Refuse the request `name` because the response to it cannot be encoded."""

    def message(self, answer: Answer) -> Any:
        """Return the whole message with the session's header."""

    def connection_ends(self) -> None:
        """Take the power off, whatever the state."""

    def take_effects(self) -> list[Any]:
        """Return the effects collected since the last call."""


class Protocol(typing.Protocol):
    """A communication protocol of ISO 15118 or DIN SPEC 70121 on the side of the charger."""

    @property
    def app(self) -> AppProtocol:
        """Its entry in supportedAppProtocolReq and EVerest's names for it."""

    @property
    def streams(self) -> Mapping[int, str]:
        """V2GTP payload types of its messages: the stream that each belongs to.

        Requests of one stream are answered in turn; streams do not wait for each other (ISO 15118-20 renegotiates the
        schedule and confirms meter readings beside the charge loop). Only in the main one the sequence time-out runs.
        """

    @property
    def failure_reasons(self) -> Mapping[str, FailureReason | None]:
        """Why a session failed whose last request was this one; None: it did not fail."""

    @property
    def sequence_timeout_s(self) -> float:
        """How long the charger waits for the next request."""

    @property
    def sequence_timeout_clause(self) -> str:
        """The clause of that time-out, for the log; may be empty."""

    def is_offered(self, facts: ChargerFacts, settings: Settings) -> bool:
        """Return whether this charger, as it is configured, speaks the protocol with a car."""

    def prepare(self) -> None:
        """Import what every session needs: it takes longer than a car waits for an answer."""

    def load(self, facts: ChargerFacts) -> Sequence[str]:
        """Import what a session needs with these facts; return the schema sets whose messages it has."""

    def decode(self, frame: Frame) -> Request:
        """Return the message in a frame; raises ExiError. The caller checks that it is a request."""

    def outline(self, frame: Frame) -> Outline | None:
        """Return what can be read of a request that `decode` refuses; None where its kind cannot be read."""

    def encode(self, message: Any, stream: str) -> Frame:
        """Return a response in a stream as a frame with its payload type; raises EncodeError."""

    def new_session(self, context: SessionContext) -> Session:
        """Return a new session."""
