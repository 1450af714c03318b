"""The service console on a running controller: single keys in, control frames and lines of text out; no terminal."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, TypeVar

from chargebyte_fw.board import timing
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
from chargebyte_fw.kernel.machine import Machine, Timeout, on

PATIENCE_S = 1.5 * timing.CYCLE_S
"""A ChargeControl goes out this long after the last one although no ChargeState came."""
M = TypeVar("M", bound=Message)
CTRL_C, CTRL_R = "\x03", "\x12"
KEYS = """\
e/E PWM on/off   r t z on with 5/10/100 %   0 5 6 9 0/5/10/100 %   + - 1 % more/less   1 2 3 toggle contactor
T RCM self-test   c ChargeControl once   s ChargeControl by itself on/off   Ctrl-R reset   ? keys   q quit"""
KEYS_MCS = (
    "r/R ready/not ready   e emergency stop   c control once   s control by itself on/off   Ctrl-R reset   q quit"
)
_ALWAYS = ("cp_state", "ce_state", "id_state")
"""Fields that are shown whatever they say."""
_WITH_PWM = {"r": 5.0, "t": 10.0, "z": 100.0}
"""Duty cycles whose keys switch the PWM on as well."""
_DUTIES = {"0": 0.0, "5": 5.0, "6": 10.0, "9": 100.0}
_READY = {"r": CcsReady.READY, "R": CcsReady.NOT_READY, "e": CcsReady.EMERGENCY_STOP}


class Console(Enum):
    """Whether it goes on."""

    OPEN = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Begin:
    """Event: the controller is ready."""


@dataclass(frozen=True, slots=True)
class Key:
    """Event: a key was pressed."""

    key: str


@dataclass(frozen=True, slots=True)
class Heard:
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
    """Effect: a line for the person."""

    text: str


@dataclass(frozen=True, slots=True)
class Reset:
    """Effect: reset the controller into its application; feed Begin when it is ready."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Effect: the end."""


class Monitor(Machine):
    """One console. `automatic`: ChargeControl is sent by itself; `wait`: not before the controller was heard."""

    def __init__(self, generation: Generation, *, automatic: bool = True, wait: bool = False, every: bool = False):
        super().__init__(Console.OPEN)
        self._generation = generation
        self.automatic = automatic
        self._wait = wait
        self._every = every
        self._said: dict[int, bytes] = {}
        self.control: ChargeControl | ChargeControl2 = self._nothing

    @property
    def _nothing(self) -> ChargeControl | ChargeControl2:
        return ChargeControl2() if self._generation.is_mcs else ChargeControl()

    @on(Console.OPEN, event=Begin)
    def _begin(self, _: Begin, now: float) -> list[Any]:
        # A control image never survives a reset: what was asked for before it is not asked for again.
        self.control = self._nothing
        self._said.clear()
        keys = KEYS_MCS if self._generation.is_mcs else KEYS
        return [Show(keys), *([] if self._wait or not self.automatic else self._send(now))]

    def _send(self, now: float) -> list[Any]:
        self.deadline = now + PATIENCE_S if self.automatic else None
        return [Send(self.control)]

    @on(Console.OPEN, event=Timeout)
    def _not_heard(self, _: Timeout, now: float) -> list[Any]:
        return self._send(now) if self.automatic else []

    @on(Console.OPEN, event=Heard)
    def _heard(self, event: Heard, now: float) -> list[Any]:
        com_id, payload = event.frame
        effects: list[Any] = []
        if self._every or self._said.get(com_id) != payload:
            self._said[com_id] = payload
            effects.append(Show(self.words(event.frame)))
        if com_id in (ChargeState.com_id, ChargeState2.com_id) and self.automatic:
            effects += self._send(now)
        if com_id in (Action.com_id, ErrorMessage.com_id):
            self._said.pop(com_id, None)  # each of these is news, also the same again
        return effects

    def words(self, frame: Frame) -> str:
        """Say what a frame of the controller says: the fields that are not at rest."""
        message = self._generation.decode(frame)
        if message is None:
            return f"COM 0x{frame.com_id:02X}: {frame.payload.hex(' ')}"
        if isinstance(message, ErrorMessage):
            module, reason = self._generation.error_text(message)
            data = [f"0x{value:04X}" for value in (message.data_1, message.data_2) if value is not None]
            return " ".join(["ErrorMessage", "raised" if message.active else "cleared", module, reason, *data])
        if isinstance(message, Action) and message.confirmed is ActionId.NONE:
            return "Action refused"
        return " ".join([type(message).__name__, *_fields(message)])

    @on(Console.OPEN, event=Key)
    def _key(self, event: Key, now: float) -> list[Any]:
        key = event.key
        if key in ("q", CTRL_C):
            # Contactors open at once, and not only when the controller misses us.
            return self.enter(Console.CLOSED, Send(self._nothing), Quit())
        if key == CTRL_R:
            self.deadline = None
            self.control = self._nothing
            return [Show("reset"), Reset()]
        if key in ("?", "h"):
            return [Show(KEYS_MCS if self._generation.is_mcs else KEYS)]
        if key == "c":
            return [Show(_told(self.control)), *self._send(now)]
        if key == "s":
            self.automatic = not self.automatic
            words = "by itself" if self.automatic else "only on c"
            return [
                Show(f"{type(self.control).__name__} is sent {words}"),
                *(self._send(now) if self.automatic else []),
            ]
        if key == "T" and not self._generation.is_mcs:
            return [Show("RCM self-test"), Send(Inquiry(Action.com_id, ActionId.RCM_SELF_TEST))]
        wanted = self._wanted(key)
        if wanted is None:
            return [Show(f"no such key: {key!r}; ? shows the keys")] if key not in "\r\n" else []
        self.control = wanted
        return [Show(_told(wanted)), *(self._send(now) if self.automatic else [])]

    def _wanted(self, key: str) -> ChargeControl | ChargeControl2 | None:
        control = self.control
        if isinstance(control, ChargeControl2):
            return _with(control, ccs_ready=_READY[key]) if key in _READY else None
        if key in ("e", "E"):
            return _with(control, pwm_active=key == "e")
        if key in _WITH_PWM:
            return _with(control, pwm_active=True, duty_percent=_WITH_PWM[key])
        if key in _DUTIES:
            return _with(control, duty_percent=_DUTIES[key])
        if key in ("+", "-"):
            duty_percent = control.duty_percent + (1.0 if key == "+" else -1.0)
            return _with(control, duty_percent=min(max(duty_percent, 0.0), 100.0))
        if key in ("1", "2", "3"):
            name = f"contactor_{key}_close"
            return _with(control, **{name: not getattr(control, name)})
        return None

    @on(Console.CLOSED, event=Heard)
    @on(Console.CLOSED, event=Key)
    @on(Console.CLOSED, event=Timeout)
    def _over(self, _: Any, now: float) -> list[Any]:
        return []


def _told(control: Message) -> str:
    fields = _fields(control)
    return f"-> {type(control).__name__} " + (" ".join(fields) if fields else "nothing asked for")


def _fields(message: Message) -> list[str]:
    words = []
    at_rest = type(message)()
    for name in message.places:
        value = getattr(message, name)
        if value is None or value is False or (value == getattr(at_rest, name) and name not in _ALWAYS):
            continue
        if value is True:
            words.append(name)
        elif isinstance(value, bytes):
            words.append(f"{name}={value.hex()}")
        elif isinstance(value, Enum):
            words.append(f"{name}={value.name}")
        else:
            words.append(f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}")
    return words


def _with(message: M, **changes: Any) -> M:
    return type(message)(**{name: getattr(message, name) for name in message.places} | changes)
