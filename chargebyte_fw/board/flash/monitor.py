"""The service console on a running controller: single keys in, control frames and lines of text out; no terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from chargebyte_fw.board import timing
from chargebyte_fw.board.flash.frame_text import fields_of, text_of
from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    ChargeControl,
    ChargeState,
    ErrorMessage,
    Inquiry,
)
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Frame, encode_message
from chargebyte_fw.board.link.messages.generations import Generation
from chargebyte_fw.board.link.messages.mcs import CcsReady, ChargeControl2, ChargeState2
from chargebyte_fw.kernel.machine import Machine, on

PATIENCE_S = 1.5 * timing.CYCLE_S
"""A ChargeControl is sent this long after the last one although no ChargeState was received."""
KEYS = """\
e/E PWM on/off   r t z on with 5/10/100 %   0 5 6 9 0/5/10/100 %   + - 1 % more/less   1 2 3 toggle contactor
T RCM self-test   c ChargeControl once   s ChargeControl by itself on/off   Ctrl-R reset   ? keys   q quit"""
KEYS_MCS = (
    "r/R ready/not ready   e emergency stop   c control once   s control by itself on/off   Ctrl-R reset   q quit"
)
_WITH_PWM = {"r": 5.0, "t": 10.0, "z": 100.0}
"""Duty cycles whose keys switch the PWM on as well."""
_DUTIES = {"0": 0.0, "5": 5.0, "6": 10.0, "9": 100.0}
_READY = {"r": CcsReady.READY, "R": CcsReady.NOT_READY, "e": CcsReady.EMERGENCY_STOP}
Control = ChargeControl | ChargeControl2


class Sending(Enum):
    """When the control frame is sent."""

    BY_ITSELF = auto()
    """After each state of the controller, and when one is missed."""
    ON_REQUEST = auto()
    CLOSED = auto()
    """Never again: the console was quit."""


_S = Sending
_OPEN = (_S.BY_ITSELF, _S.ON_REQUEST)


@dataclass(frozen=True, slots=True)
class Begin:
    """Event: the controller is ready."""


@dataclass(frozen=True, slots=True)
class Key:
    """Event: a key was pressed."""

    key: str


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """Event: a frame of the controller."""

    frame: Frame


@dataclass(frozen=True, slots=True)
class Send:
    """Effect: send a frame."""

    message: Message

    @property
    def data(self) -> bytes:
        """The frame's bytes."""
        return encode_message(self.message)


@dataclass(frozen=True, slots=True)
class Show:
    """Effect: show a line."""

    text: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Effect: reset the controller into its application; feed Begin when it is ready."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Effect: end the console."""


class Monitor(Machine):
    """One console. `automatic`: ChargeControl is sent by itself; `wait`: not before a frame was received."""

    initial = Sending.BY_ITSELF

    def __init__(self, generation: Generation, *, automatic: bool = True, wait: bool = False, every: bool = False):
        super().__init__(Sending.BY_ITSELF if automatic else Sending.ON_REQUEST)
        self._generation = generation
        self._wait = wait
        self._every = every
        self._shown: dict[int, bytes] = {}
        """The payload shown last, by COM id."""
        self.control: Control = self._zero

    @property
    def automatic(self) -> bool:
        """Whether ChargeControl is sent by itself."""
        return self.state is _S.BY_ITSELF

    @property
    def _zero(self) -> Control:
        return ChargeControl2() if self._generation.is_mcs else ChargeControl()

    @on(*_OPEN, event=Begin)
    def _begin(self, _: Begin, now: float) -> list[Any]:
        """Show the keys. A control image never survives a reset: it is all zeros again."""
        self.control = self._zero
        self._shown.clear()
        return [Show(self._keys), *([] if self._wait else self._send_by_itself(now))]

    @property
    def _keys(self) -> str:
        return KEYS_MCS if self._generation.is_mcs else KEYS

    def _send_by_itself(self, now: float) -> list[Any]:
        if not self.automatic:
            return []
        self.start("next", now + PATIENCE_S)
        return [Send(self.control)]

    @on(_S.BY_ITSELF, timer="next")
    def _missed(self, now: float) -> list[Any]:
        """Send although no state was received."""
        return self._send_by_itself(now)

    @on(*_OPEN, event=FrameReceived)
    def _received(self, event: FrameReceived, now: float) -> list[Any]:
        """Show what differs from before; actions and errors are shown each time."""
        com_id, payload = event.frame
        effects: list[Any] = []
        if self._every or self._shown.get(com_id) != payload:
            self._shown[com_id] = payload
            effects.append(Show(text_of(event.frame, self._generation)))
        if com_id in (ChargeState.com_id, ChargeState2.com_id):
            effects += self._send_by_itself(now)
        if com_id in (Action.com_id, ErrorMessage.com_id):
            self._shown.pop(com_id, None)
        return effects

    @on(*_OPEN, event=Key, to=(*_OPEN, _S.CLOSED))
    def _key(self, event: Key, now: float) -> list[Any]:
        """Do what the key means."""
        match event.key:
            case "q" | "\x03":  # Ctrl-C
                # Contactors open at once, and not only when the controller misses us.
                return self.enter(_S.CLOSED, Send(self._zero), Quit())
            case "\x12":  # Ctrl-R
                self.stop("next")
                self.control = self._zero
                return [Show("reset"), Reset()]
            case "?" | "h":
                return [Show(self._keys)]
            case "c":
                return [Show(_sent(self.control)), *(self._send_by_itself(now) or [Send(self.control)])]
            case "s":
                return self._toggle(now)
            case "T" if not self._generation.is_mcs:
                return [Show("RCM self-test"), Send(Inquiry(Action.com_id, ActionId.RCM_SELF_TEST))]
            case "\r" | "\n":
                return []
        wanted = controlled(self.control, event.key)
        if wanted is None:
            return [Show(f"no such key: {event.key!r}; ? shows the keys")]
        self.control = wanted
        return [Show(_sent(wanted)), *self._send_by_itself(now)]

    def _toggle(self, now: float) -> list[Any]:
        name = type(self.control).__name__
        if self.automatic:
            return self.enter(_S.ON_REQUEST, Show(f"{name} is sent only on c"))
        effects = self.enter(_S.BY_ITSELF, Show(f"{name} is sent by itself"))
        return [*effects, *self._send_by_itself(now)]

    @on(_S.CLOSED, event=Begin)
    @on(_S.CLOSED, event=FrameReceived)
    @on(_S.CLOSED, event=Key)
    def _over(self, _: Any, now: float) -> None:
        """Nothing: the console was quit."""


def controlled(control: Control, key: str) -> Control | None:
    """Return the control image after a key; None: the key means nothing."""
    if isinstance(control, ChargeControl2):
        return control.changed(ccs_ready=_READY[key]) if key in _READY else None
    if key in ("e", "E"):
        return control.changed(pwm_active=key == "e")
    if key in _WITH_PWM:
        return control.changed(pwm_active=True, duty_percent=_WITH_PWM[key])
    if key in _DUTIES:
        return control.changed(duty_percent=_DUTIES[key])
    if key in ("+", "-"):
        duty_percent = control.duty_percent + (1.0 if key == "+" else -1.0)
        return control.changed(duty_percent=min(max(duty_percent, 0.0), 100.0))
    if key in ("1", "2", "3"):
        name = f"contactor_{key}_close"
        return control.changed(**{name: not getattr(control, name)})
    return None


def _sent(control: Control) -> str:
    fields = fields_of(control)
    return f"-> {type(control).__name__} " + (" ".join(fields) if fields else "nothing asked for")
