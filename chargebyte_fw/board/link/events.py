"""Events and effects of the link to the safety controller, and who receives its reports.

The link's reports go to the machines of the driver that their classes name.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.board.link.messages.charge_som import (
    ActionId,
    ChargeState,
    ErrorMessage,
    FirmwareVersion,
    GitHash,
    Pt1000State,
)
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.board.link.messages.generations import Generation
from chargebyte_fw.kernel.composite import received_by

DRIVER, PLUG_LOCK = "driver", "plug lock"
"""The machines of the driver that receive reports."""


class Start(msgspec.Struct, frozen=True):
    """Event: open the port, reset the controller, identify it, run the cycle."""


class Stop(msgspec.Struct, frozen=True):
    """Event: close the port for good."""


class PortOpened(msgspec.Struct, frozen=True):
    """Event: the port is open."""


class PortFailed(msgspec.Struct, frozen=True):
    """Event: the port cannot be opened, or has failed."""

    why: str


class FrameReceived(msgspec.Struct, frozen=True):
    """Event: a frame with a valid checksum was received."""

    frame: Frame


class ResetRequest(msgspec.Struct, frozen=True):
    """Event: the driver wants the controller reset."""

    why: str


class ActionRequest(msgspec.Struct, frozen=True):
    """Event: the driver wants an action of the controller."""

    action: ActionId


class OpenPort(msgspec.Struct, frozen=True):
    """Effect: open the port; the answer is PortOpened or PortFailed."""


class ClosePort(msgspec.Struct, frozen=True):
    """Effect: close the port."""


class HoldReset(msgspec.Struct, frozen=True):
    """Effect: pull (`active`) or release the reset line."""

    active: bool


class DiscardInput(msgspec.Struct, frozen=True):
    """Effect: drop bytes that are no whole frame yet, and the payloads that repetitions are compared with."""


class SendFrame(msgspec.Struct, frozen=True):
    """Effect: send one frame."""

    frame: bytes


class StartCycle(msgspec.Struct, frozen=True):
    """Effect: send the control image every 100 ms, beginning with all zeros."""


class StopCycle(msgspec.Struct, frozen=True):
    """Effect: stop the cycle and zero the control image."""


@received_by(DRIVER, PLUG_LOCK)
class LinkUp(msgspec.Struct, frozen=True):
    """Report: the controller is identified and the cycle runs."""

    firmware: FirmwareVersion
    git_hash: GitHash
    generation: Generation

    @property
    def version(self) -> str:
        """The firmware's version, such as `0.4.1`."""
        return ".".join(str(number) for number in self.firmware.version)


@received_by(DRIVER, PLUG_LOCK)
class ControllerReset(msgspec.Struct, frozen=True):
    """Report: the controller is being reset on request; all that it reported before is void."""

    why: str


@received_by(DRIVER, PLUG_LOCK)
class LinkDown(msgspec.Struct, frozen=True):
    """Report: the link is lost."""

    why: str


@received_by(DRIVER)
class LinkStillDown(msgspec.Struct, frozen=True):
    """Report: an attempt to restore the link failed for another reason than the one before."""

    why: str


@received_by(DRIVER)
class DeadManTripped(msgspec.Struct, frozen=True):
    """Report: the event loop was stuck for too long; the safe image was sent in place of the driver's."""


class MessageReceived(msgspec.Struct, frozen=True):
    """Report: a message of the running controller; those that concern the driver are classes of their own."""

    message: Any


@received_by(DRIVER, PLUG_LOCK)
class ChargeStateReceived(MessageReceived, frozen=True):
    """Report: CHARGE_STATE differs from the one before, or is the first."""

    message: ChargeState


@received_by(DRIVER)
class TemperaturesReceived(MessageReceived, frozen=True):
    """Report: PT1000_STATE differs from the one before, or is the first."""

    message: Pt1000State


@received_by(DRIVER, PLUG_LOCK)
class ErrorReceived(MessageReceived, frozen=True):
    """Report: an internal error of the controller was raised or cleared."""

    message: ErrorMessage


@received_by(DRIVER, PLUG_LOCK)
class ActionResult(msgspec.Struct, frozen=True):
    """Report: an action was confirmed, or (`confirmed` False) refused or not answered."""

    action: ActionId
    confirmed: bool


@received_by(DRIVER)
class UnknownFrame(msgspec.Struct, frozen=True):
    """Report: a frame that the controller has no business to send now."""

    frame: Frame


REPORTS: dict[type, type[MessageReceived]] = {
    ChargeState: ChargeStateReceived,
    Pt1000State: TemperaturesReceived,
    ErrorMessage: ErrorReceived,
}


def report(message: Any) -> MessageReceived:
    """Return the report of a message of the controller."""
    return REPORTS.get(type(message), MessageReceived)(message)
