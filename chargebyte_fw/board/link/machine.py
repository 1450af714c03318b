"""The link to the safety controller as a machine: open, reset, ask who is there, run the cycle, lose it, come back.

A lost link is retried for ever: the reset line is held meanwhile, so that the controller has let go of everything.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.messages.charge_som import (
    Action,
    ActionId,
    Application,
    ChargeState,
    ErrorMessage,
    FirmwareVersion,
    GitHash,
    Inquiry,
)
from chargebyte_fw.board.link.messages.framing import Frame, encode_message
from chargebyte_fw.board.link.messages.generations import TODAY, Generation, generation_of
from chargebyte_fw.kernel.machine import Machine, Timeout, on


class LinkState(Enum):
    """Where the link is."""

    CLOSED = auto()
    OPENING = auto()
    RESETTING = auto()
    BOOTING = auto()
    ASKING = auto()
    RUNNING = auto()
    LOST = auto()


class Start(msgspec.Struct, frozen=True):
    """Event: begin."""


class Stop(msgspec.Struct, frozen=True):
    """Event: end, for good."""


class PortOpened(msgspec.Struct, frozen=True):
    """Event: the port is open."""


class PortFailed(msgspec.Struct, frozen=True):
    """Event: the port cannot be opened or has broken."""

    why: str


class FrameReceived(msgspec.Struct, frozen=True):
    """Event: a frame came in."""

    frame: Frame


class ResetRequest(msgspec.Struct, frozen=True):
    """Event: the driver wants the controller reset."""

    why: str


class ActionRequest(msgspec.Struct, frozen=True):
    """Event: the driver wants an action done."""

    action: ActionId


class OpenPort(msgspec.Struct, frozen=True):
    """Effect: open the port; answer with Opened or Failed."""


class ClosePort(msgspec.Struct, frozen=True):
    """Effect: close the port."""


class HoldReset(msgspec.Struct, frozen=True):
    """Effect: pull (`active`) or release the reset line."""

    active: bool


class DiscardInput(msgspec.Struct, frozen=True):
    """Effect: forget received bytes that are no frame yet, and what the controller said last."""


class SendFrame(msgspec.Struct, frozen=True):
    """Effect: send one frame."""

    frame: bytes


class StartCycle(msgspec.Struct, frozen=True):
    """Effect: repeat the control image, beginning with zero."""


class StopCycle(msgspec.Struct, frozen=True):
    """Effect: stop repeating and zero the control image."""


class LinkUp(msgspec.Struct, frozen=True):
    """Effect: the controller is known and the cycle runs."""

    firmware: FirmwareVersion
    git_hash: GitHash
    generation: Generation


class ControllerReset(msgspec.Struct, frozen=True):
    """Effect: the controller is being reset on purpose; whatever it said before is void."""

    why: str


class LinkDown(msgspec.Struct, frozen=True):
    """Effect: the link is lost; `why` in words."""

    why: str


class LinkStillDown(msgspec.Struct, frozen=True):
    """Effect: an attempt to get the link back failed for another reason than the one before."""

    why: str


class DeadManTripped(msgspec.Struct, frozen=True):
    """Effect: the event loop was stuck; the safe image was sent in place of the driver's."""


class MessageReceived(msgspec.Struct, frozen=True):
    """Effect: the controller said this."""

    message: Any


class ActionResult(msgspec.Struct, frozen=True):
    """Effect: an action was confirmed, or refused, or not answered (`confirmed` False)."""

    action: ActionId
    confirmed: bool


class UnknownFrame(msgspec.Struct, frozen=True):
    """Effect: a frame came that has no place here."""

    frame: Frame


_ASKED = (FirmwareVersion.com_id, GitHash.com_id)


class LinkMachine(Machine):
    """One port, one controller. `speed` is the clock's: None virtual, N times real time (timing.patient)."""

    def __init__(self, speed: float | None = 1.0) -> None:
        super().__init__(LinkState.CLOSED)
        self._ready_s = timing.ready_after_reset(speed)
        self._receive_timeout_s = timing.patient(timing.RECEIVE_TIMEOUT_S, speed)
        self._inquiry_timeout_s = timing.patient(timing.INQUIRY_TIMEOUT_S, speed)
        self._action_timeout_s = timing.patient(timing.ACTION_TIMEOUT_S, speed)
        self.generation = TODAY
        self._firmware: FirmwareVersion | None = None
        self._wanted = 0
        self._tries = 0
        self._failures = 0
        self._down: str | None = None
        self._heard_at = 0.0
        self._action: tuple[ActionId, float] | None = None
        self._early: list[Frame] = []
        """Errors of the start-up; which module they name is known when the firmware is."""

    def touch(self, now: float) -> None:
        """Take note that the controller repeated its state unchanged (saves a turn of the machine)."""
        if self.state is LinkState.RUNNING:
            self._heard_at = now

    @on(LinkState.CLOSED, event=Start)
    def _start(self, _: Start, now: float) -> list[Any]:
        return self._open()

    def _open(self) -> list[Any]:
        return self.enter(LinkState.OPENING, StopCycle(), HoldReset(True), OpenPort())

    @on(LinkState.OPENING, event=PortOpened)
    def _opened(self, _: PortOpened, now: float) -> list[Any]:
        return self.enter(LinkState.RESETTING, until=now + timing.RESET_PULSE_S)

    @on(LinkState.RUNNING, LinkState.ASKING, LinkState.BOOTING, event=ResetRequest)
    def _reset(self, event: ResetRequest, now: float) -> list[Any]:
        self._action = None
        effects = [StopCycle(), HoldReset(True), ControllerReset(event.why)]
        return self.enter(LinkState.RESETTING, *effects, until=now + timing.RESET_PULSE_S)

    @on(LinkState.CLOSED, LinkState.OPENING, LinkState.RESETTING, LinkState.LOST, event=ResetRequest)
    def _reset_is_under_way(self, _: ResetRequest, now: float) -> list[Any]:
        """A reset belongs to every way out of these states."""
        return []

    @on(LinkState.RESETTING, event=Timeout)
    def _release(self, _: Timeout, now: float) -> list[Any]:
        self._early.clear()
        return self.enter(LinkState.BOOTING, DiscardInput(), HoldReset(False), until=now + self._ready_s)

    @on(LinkState.BOOTING, event=Timeout)
    def _booted(self, _: Timeout, now: float) -> list[Any]:
        return self._ask(FirmwareVersion.com_id, now)

    def _ask(self, com_id: int, now: float) -> list[Any]:
        self._wanted, self._tries = com_id, 1
        return self.enter(LinkState.ASKING, SendFrame(_inquiry(com_id)), until=now + self._inquiry_timeout_s)

    @on(LinkState.ASKING, event=Timeout)
    def _no_answer(self, _: Timeout, now: float) -> list[Any]:
        if self._tries < timing.INQUIRY_TRIES:
            self._tries += 1
            return self.enter(LinkState.ASKING, SendFrame(_inquiry(self._wanted)), until=now + self._inquiry_timeout_s)
        what = "firmware version" if self._wanted == FirmwareVersion.com_id else "git hash"
        return self._lose(f"no answer when asked for its {what}", now)

    @on(LinkState.ASKING, event=FrameReceived)
    def _answer(self, event: FrameReceived, now: float) -> list[Any]:
        if event.frame.com_id == ErrorMessage.com_id:
            self._early.append(event.frame)
        if event.frame.com_id != self._wanted:
            return []  # a controller that was not reset goes on with its periodic frames
        if self._wanted == FirmwareVersion.com_id:
            self._firmware = FirmwareVersion.from_payload(event.frame.payload)
            self.generation = generation_of(self._firmware)
            if self._firmware.application is not Application.FIRMWARE or self.generation.is_mcs:
                kind = f"{self._firmware.platform.text}, {self._firmware.application.text}"
                return self._lose(f"this driver cannot work with what runs there ({kind})", now)
            return self._ask(GitHash.com_id, now)
        assert self._firmware is not None
        self._down, self._heard_at = None, now
        return self.enter(
            LinkState.RUNNING,
            StartCycle(),
            LinkUp(self._firmware, GitHash.from_payload(event.frame.payload), self.generation),
            *(MessageReceived(self.generation.decode(frame)) for frame in self._early),
            until=now + self._receive_timeout_s,
        )

    @on(LinkState.RUNNING, event=FrameReceived)
    def _heard(self, event: FrameReceived, now: float) -> list[Any]:
        message = self.generation.decode(event.frame)
        if isinstance(message, Action):
            return self._confirmed(message)
        if message is None or event.frame.com_id in _ASKED:
            return [UnknownFrame(event.frame)]
        if isinstance(message, ChargeState):
            self._heard_at = now
            self._failures = 0
        return [MessageReceived(message)]

    @on(LinkState.RUNNING, event=ActionRequest)
    def _act(self, event: ActionRequest, now: float) -> list[Any]:
        if self._action is not None:
            return [ActionResult(event.action, False)]
        self._action = (event.action, now + self._action_timeout_s)
        self._arm()
        return [SendFrame(encode_message(Inquiry(Action.com_id, event.action)))]

    @on(event=ActionRequest)
    def _cannot_act(self, event: ActionRequest, now: float) -> list[Any]:
        return [ActionResult(event.action, False)]

    def _confirmed(self, message: Action) -> list[Any]:
        if self._action is None:
            return []
        action, _ = self._action
        self._action = None
        self._arm()
        return [ActionResult(action, message.confirmed is action)]

    @on(LinkState.RUNNING, event=Timeout)
    def _silence(self, _: Timeout, now: float) -> list[Any]:
        if now >= self._heard_at + self._receive_timeout_s:
            return self._lose(f"no CHARGE_STATE for {self._receive_timeout_s:.1f} s", now)
        effects: list[Any] = []
        if self._action is not None and now >= self._action[1]:
            effects.append(ActionResult(self._action[0], False))
            self._action = None
        self._arm()
        return effects

    def _arm(self) -> None:
        self.deadline = self._heard_at + self._receive_timeout_s
        if self._action is not None:
            self.deadline = min(self.deadline, self._action[1])

    @on(event=PortFailed)
    def _failed(self, event: PortFailed, now: float) -> list[Any]:
        return [] if self.state in (LinkState.CLOSED, LinkState.LOST) else self._lose(event.why, now)

    def _lose(self, why: str, now: float) -> list[Any]:
        pause_s = timing.RECONNECT_PAUSES_S[min(self._failures, len(timing.RECONNECT_PAUSES_S) - 1)]
        self._failures += 1
        effects: list[Any] = [StopCycle(), HoldReset(True), ClosePort()]
        if self._action is not None:
            effects.append(ActionResult(self._action[0], False))
            self._action = None
        if self._down is None:
            effects.append(LinkDown(why))
        elif self._down != why:
            effects.append(LinkStillDown(why))
        self._down = why
        return self.enter(LinkState.LOST, *effects, until=now + pause_s)

    @on(LinkState.LOST, event=Timeout)
    def _try_again(self, _: Timeout, now: float) -> list[Any]:
        return self._open()

    @on(event=Stop)
    def _stop(self, _: Stop, now: float) -> list[Any]:
        return self.enter(LinkState.CLOSED, StopCycle(), ClosePort())

    @on(LinkState.BOOTING, event=FrameReceived)
    def _starting_up(self, event: FrameReceived, now: float) -> list[Any]:
        if event.frame.com_id == ErrorMessage.com_id:
            self._early.append(event.frame)
        return []

    @on(event=FrameReceived)
    def _nobody_asked(self, _: FrameReceived, now: float) -> list[Any]:
        """What comes before the inquiry is from before the reset."""
        return []


def _inquiry(com_id: int) -> bytes:
    return encode_message(Inquiry(com_id))
