"""The declarations of the advice: what helps, the texts, and which fault they are for."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Help(StrEnum):
    """What whoever stands at the charger can do."""

    UNPLUG = "unplug"
    """Unplug the car, and plug it in again."""
    AUTHORIZE = "authorize"
    """Present a card, or authorize in another way."""
    WAIT = "wait"
    """The charger goes on by itself."""
    SERVICE = "call service"


class Advice(NamedTuple):
    """The texts: plain sentences without a full stop."""

    cause: str
    advice: str
    helps: tuple[Help, ...]
    """In the order in which to try them."""


class Row(NamedTuple):
    """For which faults an advice is; an empty `error_type` or `implementation_id` is for any."""

    error_type: str
    """`namespace/Name` of EVerest."""
    sub_type: str
    """A pattern (`*`); `*` alone is for any sub-type."""
    advice: Advice
    implementation_id: str = ""
    """Of the fault's origin."""


def row(
    error_type: str, cause: str, advice: str, *helps: Help, sub_type: str = "*", implementation_id: str = ""
) -> Row:
    """Return a row with its advice."""
    return Row(error_type, sub_type, Advice(cause, advice, helps), implementation_id)
