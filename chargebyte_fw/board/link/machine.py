"""The link to the safety controller as a machine: open, reset, identify, run the cycle, and restore what is lost.

A lost link is retried without end. The reset line is held meanwhile, so that the controller has opened its contactors.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import msgspec

from chargebyte_fw.board import timing
from chargebyte_fw.board.link.events import (
    ActionRequest,
    ActionResult,
    ClosePort,
    ControllerReset,
    DiscardInput,
    FrameReceived,
    HoldReset,
    LinkDown,
    LinkStillDown,
    LinkUp,
    OpenPort,
    PortFailed,
    PortOpened,
    ResetRequest,
    SendFrame,
    Start,
    StartCycle,
    Stop,
    StopCycle,
    UnknownFrame,
    report,
)
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
from chargebyte_fw.kernel.backoff import Backoff
from chargebyte_fw.kernel.machine import Machine, on


class LinkState(Enum):
    """Where the link is."""

    CLOSED = auto()
    OPENING = auto()
    """The port is to be opened."""
    RESETTING = auto()
    """The reset line is pulled."""
    BOOTING = auto()
    """The reset line is released; the controller answers nothing yet."""
    ASKING_VERSION = auto()
    ASKING_GIT_HASH = auto()
    RUNNING = auto()
    """The cycle runs."""
    LOST = auto()


_S = LinkState
_IDENTIFYING = (_S.ASKING_VERSION, _S.ASKING_GIT_HASH)
_OPEN = (_S.OPENING, _S.RESETTING, _S.BOOTING, *_IDENTIFYING, _S.RUNNING)
_INQUIRY_RESULTS = (FirmwareVersion.com_id, GitHash.com_id)


class StartUp(msgspec.Struct):
    """What is known of the controller from the release of its reset line until the next reset."""

    firmware: FirmwareVersion | None = None
    tries: int = 0
    """Inquiries sent for what is being asked."""
    errors: list[Frame] = []
    """Errors of the start-up; their modules can be named when the firmware is known."""


class LinkMachine(Machine):
    """One port, one controller. `speed` is the clock's: None virtual, N times real time (timing.patient)."""

    initial = LinkState.CLOSED

    def __init__(self, speed: float | None = 1.0) -> None:
        super().__init__()
        self._ready_s = timing.ready_after_reset(speed)
        self._receive_timeout_s = timing.patient(timing.RECEIVE_TIMEOUT_S, speed)
        self._inquiry_timeout_s = timing.patient(timing.INQUIRY_TIMEOUT_S, speed)
        self._action_timeout_s = timing.patient(timing.ACTION_TIMEOUT_S, speed)
        self.generation: Generation = TODAY
        self._start_up = StartUp()
        self._reconnect_pauses = Backoff(timing.RECONNECT_PAUSES_S)
        """They are short again once the controller has sent its state."""
        self._lost_why: str | None = None
        """The reason reported last for a link that is not up again yet."""
        self._charge_state_s = 0.0
        """When CHARGE_STATE was received last, or the cycle started."""
        self._action: ActionId | None = None
        """The action that is not confirmed yet."""

    # Opening and resetting.

    @on(_S.CLOSED, event=Start, to=_S.OPENING)
    def _start(self, _: Start, now: float) -> list[Any]:
        """Open the port."""
        return self._open()

    def _open(self) -> list[Any]:
        return self.enter(LinkState.OPENING, StopCycle(), HoldReset(True), OpenPort())

    @on(_S.OPENING, event=PortOpened, to=_S.RESETTING)
    def _opened(self, _: PortOpened, now: float) -> list[Any]:
        """Give the reset line its time."""
        self.start("reset pulse", now + timing.RESET_PULSE_S)
        return self.enter(LinkState.RESETTING)

    @on(_S.BOOTING, *_IDENTIFYING, _S.RUNNING, event=ResetRequest, to=_S.RESETTING)
    def _reset(self, event: ResetRequest, now: float) -> list[Any]:
        """Stop the cycle and pull the reset line."""
        self._action = None
        self.start("reset pulse", now + timing.RESET_PULSE_S)
        return self.enter(LinkState.RESETTING, StopCycle(), HoldReset(True), ControllerReset(event.why))

    @on(_S.CLOSED, _S.OPENING, _S.RESETTING, _S.LOST, event=ResetRequest)
    def _reset_is_under_way(self, _: ResetRequest, now: float) -> None:
        """Do nothing: every way out of these states leads through a reset."""

    @on(_S.RESETTING, timer="reset pulse", to=_S.BOOTING)
    def _release(self, now: float) -> list[Any]:
        """Release the reset line."""
        self._start_up = StartUp()
        self.start("boot", now + self._ready_s)
        return self.enter(LinkState.BOOTING, DiscardInput(), HoldReset(False))

    @on(_S.BOOTING, event=FrameReceived)
    def _starting_up(self, event: FrameReceived, now: float) -> None:
        """Keep errors of the start-up."""
        if event.frame.com_id == ErrorMessage.com_id:
            self._start_up.errors.append(event.frame)

    @on(_S.CLOSED, _S.OPENING, _S.RESETTING, _S.LOST, event=FrameReceived)
    def _before_the_reset(self, _: FrameReceived, now: float) -> None:
        """Ignore what was sent before the reset."""

    # Identifying the controller.

    @on(_S.BOOTING, timer="boot", to=_S.ASKING_VERSION)
    def _booted(self, now: float) -> list[Any]:
        """Ask for the firmware version."""
        return self._ask(LinkState.ASKING_VERSION, FirmwareVersion.com_id, now)

    def _ask(self, state: LinkState, com_id: int, now: float) -> list[Any]:
        self._start_up.tries = 0
        return self.enter(state, self._inquire(com_id, now))

    def _inquire(self, com_id: int, now: float) -> SendFrame:
        self._start_up.tries += 1
        self.start("inquiry", now + self._inquiry_timeout_s)
        return SendFrame(encode_message(Inquiry(com_id)))

    @on(_S.ASKING_VERSION, timer="inquiry", to=_S.LOST)
    def _no_version(self, now: float) -> list[Any]:
        """Ask again for the firmware version, or give up."""
        if self._start_up.tries < timing.INQUIRY_TRIES:
            return [self._inquire(FirmwareVersion.com_id, now)]
        return self._lose("no answer when asked for its firmware version", now)

    @on(_S.ASKING_GIT_HASH, timer="inquiry", to=_S.LOST)
    def _no_git_hash(self, now: float) -> list[Any]:
        """Ask again for the git hash, or give up."""
        if self._start_up.tries < timing.INQUIRY_TRIES:
            return [self._inquire(GitHash.com_id, now)]
        return self._lose("no answer when asked for its git hash", now)

    @on(_S.ASKING_VERSION, event=FrameReceived, to=(_S.ASKING_GIT_HASH, _S.LOST))
    def _version(self, event: FrameReceived, now: float) -> list[Any]:
        """Take the firmware version; refuse firmware that does not charge. A periodic frame is no answer."""
        if event.frame.com_id != FirmwareVersion.com_id:
            self._starting_up(event, now)
            return []
        firmware = FirmwareVersion.from_payload(event.frame.payload)
        self._start_up.firmware = firmware
        self.generation = generation_of(firmware)
        if firmware.application is not Application.FIRMWARE or self.generation.is_mcs:
            kind = f"{firmware.platform.text}, {firmware.application.text}"
            return self._lose(f"this driver cannot work with what runs there ({kind})", now)
        return self._ask(LinkState.ASKING_GIT_HASH, GitHash.com_id, now)

    @on(_S.ASKING_GIT_HASH, event=FrameReceived, to=_S.RUNNING)
    def _git_hash(self, event: FrameReceived, now: float) -> list[Any]:
        """Take the git hash and start the cycle. A periodic frame is no answer."""
        if event.frame.com_id != GitHash.com_id:
            self._starting_up(event, now)
            return []
        firmware = self._start_up.firmware
        assert firmware is not None
        self._lost_why = None
        self._charge_state_s = now
        self.start("receive", now + self._receive_timeout_s)
        return self.enter(
            LinkState.RUNNING,
            StartCycle(),
            LinkUp(firmware, GitHash.from_payload(event.frame.payload), self.generation),
            *(report(self.generation.decode(frame)) for frame in self._start_up.errors),
        )

    # Running.

    @on(_S.RUNNING, event=FrameReceived)
    def _received(self, event: FrameReceived, now: float) -> list[Any]:
        """Report the message; CHARGE_STATE alone keeps the link alive."""
        message = self.generation.decode(event.frame)
        if isinstance(message, Action):
            return self._confirmed(message)
        if message is None or event.frame.com_id in _INQUIRY_RESULTS:
            return [UnknownFrame(event.frame)]
        if isinstance(message, ChargeState):
            self.touch(now)
            self._reconnect_pauses.reset()
        return [report(message)]

    def touch(self, now: float) -> None:
        """Take note of a CHARGE_STATE. One that is unchanged comes here directly, which saves a turn every 100 ms."""
        if self.state is LinkState.RUNNING:
            self._charge_state_s = now

    @on(_S.RUNNING, timer="receive", to=_S.LOST)
    def _silence(self, now: float) -> list[Any]:
        """Lose the link unless CHARGE_STATE, which is due every 100 ms, was received meanwhile."""
        lost_s = self._charge_state_s + self._receive_timeout_s
        if now < lost_s:
            self.start("receive", lost_s)
            return []
        return self._lose(f"no CHARGE_STATE for {self._receive_timeout_s:.1f} s", now)

    @on(_S.RUNNING, event=ActionRequest)
    def _request_action(self, event: ActionRequest, now: float) -> list[Any]:
        """Ask for an action; one at a time."""
        if self._action is not None:
            return [ActionResult(event.action, False)]
        self._action = event.action
        self.start("action", now + self._action_timeout_s)
        return [SendFrame(encode_message(Inquiry(Action.com_id, event.action)))]

    @on(_S.CLOSED, _S.OPENING, _S.RESETTING, _S.BOOTING, *_IDENTIFYING, _S.LOST, event=ActionRequest)
    def _refuse_action(self, event: ActionRequest, now: float) -> list[Any]:
        """Refuse an action without a running controller."""
        return [ActionResult(event.action, False)]

    def _confirmed(self, message: Action) -> list[Any]:
        if self._action is None:
            return []
        action, self._action = self._action, None
        self.stop("action")
        return [ActionResult(action, message.confirmed is action)]

    @on(_S.RUNNING, timer="action")
    def _action_unanswered(self, now: float) -> list[Any]:
        """Report an action that was not answered as not confirmed."""
        action, self._action = self._action, None
        return [] if action is None else [ActionResult(action, False)]

    # Losing and restoring the link, and the end.

    @on(*_OPEN, event=PortFailed, to=_S.LOST)
    def _failed(self, event: PortFailed, now: float) -> list[Any]:
        """Lose the link."""
        return self._lose(event.why, now)

    @on(_S.CLOSED, _S.LOST, event=PortFailed)
    def _failed_before(self, _: PortFailed, now: float) -> None:
        """Ignore a port that fails when the link is lost or closed."""

    def _lose(self, why: str, now: float) -> list[Any]:
        effects: list[Any] = [StopCycle(), HoldReset(True), ClosePort(), *self._action_unanswered(now)]
        if self._lost_why is None:
            effects.append(LinkDown(why))
        elif self._lost_why != why:
            effects.append(LinkStillDown(why))
        self._lost_why = why
        self.start("reconnect", now + self._reconnect_pauses.fail())
        return self.enter(LinkState.LOST, *effects)

    @on(_S.LOST, timer="reconnect", to=_S.OPENING)
    def _reconnect(self, now: float) -> list[Any]:
        """Open the port again."""
        return self._open()

    @on(*_OPEN, _S.LOST, _S.CLOSED, event=Stop, to=_S.CLOSED)
    def _stop(self, _: Stop, now: float) -> list[Any]:
        """Stop the cycle and close the port."""
        return self.enter(LinkState.CLOSED, StopCycle(), ClosePort())
