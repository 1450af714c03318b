"""The client of a serial bus: one request at a time, its response in time, tries, the silence between frames."""

from __future__ import annotations

from collections import deque
from enum import Enum
from typing import Any

import msgspec

from chargebyte_fw.kernel.machine import Machine, on
from chargebyte_fw.modules.meter.messages import LARGEST_FRAME, BadFrame, Refused, Request, body_of, length_of_response

MOST_WAITING = 100
"""Requests that may wait."""
BITS_PER_CHARACTER = 11
SILENCE_CHARACTERS = 3.5
LEAST_SILENCE_S = 0.00175
"""Above 19200 Bd the silence is of fixed length (Modbus over Serial Line 2.5.1.1)."""


class Timing(msgspec.Struct, frozen=True):
    """Times and tries of the bus."""

    first_byte_s: float = 0.5
    next_byte_s: float = 0.1
    tries: int = 3
    silence_s: float = LEAST_SILENCE_S
    echo: bool = False
    """What is sent comes back before the response."""


def silence_s(baud: int) -> float:
    """Return the silence between two frames at a rate."""
    return max(LEAST_SILENCE_S, SILENCE_CHARACTERS * BITS_PER_CHARACTER / baud)


class Client(Enum):
    """The states of the client."""

    IDLE = "nothing is under way"
    AWAITING = "a request was sent"
    SILENT = "the bus has to be silent"


S = Client


class Asked(msgspec.Struct, frozen=True):
    """Event: carry out a request."""

    number: int
    request: Request


class Bytes(msgspec.Struct, frozen=True):
    """Event: bytes came."""

    data: bytes


class Lost(msgspec.Struct, frozen=True):
    """Event: the port is not there any more."""

    reason: str


class Send(msgspec.Struct, frozen=True):
    """Effect: send a frame."""

    frame: bytes


class Done(msgspec.Struct, frozen=True):
    """Effect: a request is over; `body` is what the response carries, None where there is none."""

    number: int
    body: bytes | None
    reason: str = ""
    silent: bool = False
    """The device did not answer."""


class BusClient(Machine):
    """The client. A request is tried again where the response is missing or damaged, not where it is refused."""

    initial = S.IDLE

    def __init__(self, timing: Timing) -> None:
        super().__init__()
        self.timing = timing
        self._waiting: deque[Asked] = deque()
        self._current: Asked | None = None
        self._tries = 0
        self._received = b""
        self._echo_left = b""

    @on(S.IDLE, event=Asked, to=(S.AWAITING, S.SILENT))
    def begin(self, event: Asked, now: float) -> list[Any]:
        """Send a request."""
        return self._begin(event, now)

    @on(S.AWAITING, S.SILENT, event=Asked)
    def wait(self, event: Asked, now: float) -> list[Any]:
        """Keep a request for later."""
        if len(self._waiting) >= MOST_WAITING:
            return [Done(event.number, None, f"{MOST_WAITING} requests wait already")]
        self._waiting.append(event)
        return []

    @on(S.AWAITING, event=Bytes, to=S.SILENT)
    def receive(self, event: Bytes, now: float) -> list[Any]:
        """Take bytes of the response, after those of the echo."""
        data = event.data
        if self._echo_left:
            echo, self._echo_left = self._echo_left[: len(data)], self._echo_left[len(data) :]
            if not data.startswith(echo):
                return self._again("another device sends at the same time", False, now)
            data = data[len(echo) :]
        self._received += data
        self.start("response", now + self.timing.next_byte_s)
        assert self._current is not None
        try:
            length = length_of_response(self._received)
            if length is None or len(self._received) < length:
                return []
            if length > LARGEST_FRAME or len(self._received) > length:
                raise BadFrame(f"{len(self._received)} bytes for a response of {length}")
            body = body_of(self._current.request, self._received)
        except Refused as refused:
            return self._over(None, str(refused), now)
        except BadFrame as error:
            return self._again(str(error), False, now)
        return self._over(body, "", now)

    @on(S.IDLE, S.SILENT, event=Bytes)
    def ignore(self, event: Bytes, now: float) -> list[Any]:
        """Drop bytes that nothing was sent for."""
        return []

    @on(S.AWAITING, timer="response", to=S.SILENT)
    def late(self, now: float) -> list[Any]:
        """Try again: the response is missing, or stops in its middle."""
        missing = not self._received
        return self._again("no response" if missing else "the response stops in its middle", missing, now)

    @on(S.SILENT, timer="silence", to=(S.IDLE, S.AWAITING, S.SILENT))
    def go_on(self, now: float) -> list[Any]:
        """Send the request again, or the next one."""
        if self._current is not None:
            return self._send(now)
        self.enter(S.IDLE)
        return self._begin(self._waiting.popleft(), now) if self._waiting else []

    @on(*S, event=Lost, to=S.IDLE)
    def lose(self, event: Lost, now: float) -> list[Any]:
        """Give up all requests: the port is gone."""
        given_up = [one for one in (self._current, *self._waiting) if one is not None]
        self._current = None
        self._waiting.clear()
        for timer in ("response", "silence"):
            self.stop(timer)
        self.enter(S.IDLE)
        return [Done(one.number, None, event.reason) for one in given_up]

    def _begin(self, asked: Asked, now: float) -> list[Any]:
        self._current, self._tries = asked, 0
        return self._send(now)

    def _send(self, now: float) -> list[Any]:
        assert self._current is not None
        self._tries += 1
        frame = self._current.request.to_bytes()
        self._received, self._echo_left = b"", frame if self.timing.echo else b""
        if self._current.request.is_broadcast:
            return [Send(frame), *self._over(b"", "", now)]
        self.start("response", now + self.timing.first_byte_s)
        self.enter(S.AWAITING)
        return [Send(frame)]

    def _again(self, reason: str, silent: bool, now: float) -> list[Any]:
        if self._tries >= self.timing.tries:
            return self._over(None, reason, now, silent=silent)
        self._rest(now)
        return []

    def _over(self, body: bytes | None, reason: str, now: float, *, silent: bool = False) -> list[Any]:
        assert self._current is not None
        number, self._current = self._current.number, None
        self._rest(now)
        return [Done(number, body, reason, silent)]

    def _rest(self, now: float) -> None:
        self.stop("response")
        self.start("silence", now + self.timing.silence_s)
        self.enter(S.SILENT)
