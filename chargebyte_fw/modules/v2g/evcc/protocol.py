"""What a protocol gives to the car's machine: frames to responses and back, its sessions, its times."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings, Paused
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.v2gtp import Frame

MAIN = "main"
"""The stream of all messages but those that ISO 15118-20 has others for."""


class Failed(Exception):
    """The session cannot go on; the text is the reason."""


class Response(msgspec.Struct):
    """A response of the charger: its name (`CurrentDemandRes`), session id and body."""

    name: str
    session_id: bytes
    body: Any
    signature: Any = None
    """Of the header."""


class MultiplexedRequest(msgspec.Struct):
    """A request beside the main stream (ISO 15118-20): the stream, the body, the response that it must get."""

    stream: str
    body: Any
    expected: str


class Timers(typing.Protocol):
    """Named timers, as a machine has them."""

    def start(self, timer: str, at_s: float) -> None:
        """Let the timer be over at monotonic second `at_s`."""

    def stop(self, timer: str) -> None:
        """Stop the timer."""


class CarSession(typing.Protocol):
    """A V2G session of a car: which request comes next, and what follows from its response."""

    session_id: bytes
    outcome: str
    """How the session ends: `terminated`, `paused`, or `failed` where it ended in good order but for nothing."""
    reason: str
    """Why it failed."""
    received_signature: Any
    """The signature in the header of the last response, None where it has none."""
    over: bool
    """The last response was taken."""
    power_on: bool
    """The car's contactors are closed, or its on-board charger draws."""
    limited: str
    """What the timer `limit` limits."""

    @property
    def paused(self) -> Paused | None:
        """What resumes the session, where it ends with a pause."""

    def next(self, now: float) -> Any:
        """Return the body of the next request; the effects that come with it are in `take_effects`."""

    @property
    def stream(self) -> str:
        """The stream of the next request, which is the main one nearly always."""

    def expected(self) -> str:
        """Return the name of the response that the last request must get."""

    def take(self, body: Any, now: float) -> float:
        """Take the response to the last request; return how long to wait before the next one. Raises Failed."""

    def next_multiplexed(self, now: float) -> MultiplexedRequest | None:
        """Return a request of another stream than the main one, None where there is none."""

    def take_multiplexed(self, name: str, body: Any, now: float) -> None:
        """Take the response to the last request of `next_multiplexed`. Raises Failed."""

    def message(self, body: Any) -> Any:
        """Return the whole message with the session's header."""

    def take_effects(self) -> list[Any]:
        """Return the effects collected since the last call."""


class Protocol(typing.Protocol):
    """A communication protocol of ISO 15118 or DIN SPEC 70121 on the side of the car."""

    @property
    def name(self) -> str:
        """EVerest's name of it (`ISO15118D20`)."""

    @property
    def streams(self) -> Mapping[int, str]:
        """V2GTP payload types of its messages: the stream that each belongs to; `main` is the only one of most."""

    def apps(self, settings: CarSettings) -> Sequence[AppProtocol]:
        """Return its entries in supportedAppProtocolReq for this car, best first; none: it does not know its mode."""

    def decode(self, frame: Frame) -> Response:
        """Return the response in a frame; raises ExiError."""

    def encode(self, message: Any, stream: str) -> Frame:
        """Return a request as a frame with its payload type; raises EncodeError."""

    def message_timeout_s(self, request: str) -> float:
        """Return V2G_EVCC_Msg_Timeout: how long the car waits for the response to `request`."""

    def new_session(self, app: AppProtocol, settings: CarSettings, facts: CarFacts, timers: Timers) -> CarSession:
        """Return a new session of the entry that the charger chose. Its timers are `limit` and `ready to charge`."""
