"""The DBC file of the CAN mirror, written from the declared messages, so that any CAN tool can read along."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any, get_type_hints

from chargebyte_fw.board.link.messages import charge_som as messages
from chargebyte_fw.board.link.messages import mcs as messages_mcs
from chargebyte_fw.board.link.messages import service as messages_service
from chargebyte_fw.board.link.messages.declaration import PAYLOAD_BYTES, Message, Place, Sender, declared
from chargebyte_fw.board.timing import CYCLE_S

ENCODING = "cp1252"
"""What tools expect of a DBC file."""
EXTENDED = 0x8000_0000
_NODES = {Sender.HOST: "HOST", Sender.MCU: "MCU"}
_CYCLIC = (
    messages.ChargeControl,
    messages.ChargeState,
    messages.Pt1000State,
    messages_mcs.ChargeControl2,
    messages_mcs.ChargeState2,
)
_SERVICE = messages_service.__name__
_HEAD = """VERSION ""

NS_ :

BS_:

BU_: HOST MCU
"""
_ATTRIBUTES = """BA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;
BA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN";
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_DEF_DEF_ "VFrameFormat" """


def dbc(wanted: Iterable[type[Message]] | None = None, *, short_ids: bool = False) -> str:
    """Return the text of the DBC file (`wanted`: the messages, all that are declared when none are given).

    `short_ids`: 11 bits, for tools that look a frame up by its number alone and take a small one for a short id.
    """
    every = sorted(declared() if wanted is None else wanted, key=lambda message: message.com_id)
    ids = {message: message.com_id | (0 if short_ids else EXTENDED) for message in every}
    definitions = "\n\n".join(_definition(message, ids[message]) for message in every)
    comments = [_comment(message, ids[message]) for message in every]
    values = [line for message in every for line in _values(message, ids[message])]
    cyclic = [message for message in every if message in _CYCLIC]
    cycles = [f'BA_ "GenMsgCycleTime" BO_ {ids[message]} {round(CYCLE_S * 1000)};' for message in cyclic]
    attributes = _ATTRIBUTES + f'"{"StandardCAN" if short_ids else "ExtendedCAN"}";'
    parts = [_HEAD, definitions, "\n".join(comments), "\n".join([attributes, *cycles]), "\n".join(values)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _definition(message: type[Message], identifier: int) -> str:
    sender = _NODES[message.sender]
    receiver = "MCU" if sender == "HOST" else "HOST"
    lines = [f"BO_ {identifier} {message.__name__}: {PAYLOAD_BYTES} {sender}"]
    for name, place in message.places.items():
        start = 8 * ((63 - place.high) // 8) + place.high % 8
        sign = "-" if place.signed else "+"
        least, most = _range(place)
        lines.append(
            f" SG_ {name} : {start}|{place.width}@0{sign} ({place.scale:g},0) "
            f'[{least:.15g}|{most:.15g}] "{place.unit}" {receiver}'
        )
    return "\n".join(lines)


def _range(place: Place) -> tuple[float, float]:
    least = -(1 << (place.width - 1)) if place.signed else 0
    most = (1 << (place.width - 1)) - 1 if place.signed else (1 << place.width) - 1
    if place.maximum is not None:
        most = place.maximum
    return least * place.scale, most * place.scale


def _comment(message: type[Message], identifier: int) -> str:
    text = _text(message.__doc__)
    if message.__module__ == _SERVICE:
        text += " Only of end-of-line and qualification firmware and of diagnostics."
    return f'CM_ BO_ {identifier} "{text}";'


def _values(message: type[Message], identifier: int) -> list[str]:
    lines = []
    hints: dict[str, Any] = get_type_hints(message)
    for name, place in message.places.items():
        kind = hints[name]
        named: list[tuple[int, str]] = []
        if isinstance(kind, type) and issubclass(kind, Enum):
            named = [(member.value, _word(member)) for member in kind if 0 <= member.value <= place.mask]
        elif place.absent is not None:
            named = [(place.absent, "absent")]
        if named:
            pairs = " ".join(f'{value} "{word}"' for value, word in sorted(named))
            lines.append(f"VAL_ {identifier} {name} {pairs} ;")
    return lines


def _word(member: Enum) -> str:
    return _text(getattr(member, "text", "") or member.name)


def _text(text: str | None) -> str:
    return re.sub(r"\s+", " ", (text or "").replace('"', "'")).strip()
