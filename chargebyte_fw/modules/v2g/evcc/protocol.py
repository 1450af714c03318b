"""What a protocol gives to the car's machine: frames to responses and back, its sessions, its times."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.v2gtp import Frame


class Failed(Exception):
    """The session cannot go on; the text is the reason."""


class Response(msgspec.Struct):
    """A response of the charger: its name (`CurrentDemandRes`), session id and body."""

    name: str
    session_id: bytes
    body: Any


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
    """How the session ends: `terminated` or `paused`."""
    over: bool
    """The last response was taken."""
    power_on: bool
    """The car's contactors are closed, or its on-board charger draws."""
    limited: str
    """What the timer `limit` limits."""

    def next(self, now: float) -> Any:
        """Return the body of the next request; the effects that come with it are in `take_effects`."""

    def expected(self) -> str:
        """Return the name of the response that the last request must get."""

    def take(self, body: Any, now: float) -> float:
        """Take the response to the last request; return how long to wait before the next one. Raises Failed."""

    def message(self, body: Any) -> Any:
        """Return the whole message with the session's header."""

    def take_effects(self) -> list[Any]:
        """Return the effects collected since the last call."""


class Protocol(typing.Protocol):
    """A communication protocol of ISO 15118 or DIN SPEC 70121 on the side of the car."""

    @property
    def app(self) -> AppProtocol:
        """Its entry in supportedAppProtocolReq and EVerest's names for it."""

    @property
    def payload_types(self) -> frozenset[int]:
        """V2GTP payload types of its messages."""

    def has_mode(self, energy_transfer_mode: str) -> bool:
        """Return whether the protocol knows this energy transfer mode."""

    def decode(self, frame: Frame) -> Response:
        """Return the response in a frame; raises ExiError."""

    def encode(self, message: Any) -> Frame:
        """Return a request as a frame with its payload type; raises EncodeError."""

    def message_timeout_s(self, request: str) -> float:
        """Return V2G_EVCC_Msg_Timeout: how long the car waits for the response to `request`."""

    def new_session(self, settings: CarSettings, facts: CarFacts, timers: Timers) -> CarSession:
        """Return a new session. Its timers are `limit` and `ready to charge`."""
