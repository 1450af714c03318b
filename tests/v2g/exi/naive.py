"""EXI by the book, slow and plain: walks a type's grammar state by state, one bit string, no compiled code.

The compiled codec must agree with it bit for bit; the benchmark sets the two side by side.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from chargebyte_fw.modules.v2g.exi.grammar import (
    END,
    Grammar,
    Production,
    Slot,
    code_bits,
    enum_bits,
    grammar_of,
    is_simple,
)
from chargebyte_fw.modules.v2g.messages.model import Coding, Schema, Type


def encode(schema: Schema, message: Any) -> bytes:
    """Write a message of a set that has one or two roots."""
    names = sorted((name, space) for space, elements in schema.elements.items() for name in elements)
    code = next(i for i, (name, space) in enumerate(names) if schema.elements[space][name] is type(message))
    bits = f"{0x80:08b}{code:0{len(names).bit_length()}b}" + _complex(message)
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def _complex(value: Any) -> str:
    cls: type[Type] = type(value)
    grammar = grammar_of(cls)
    after, entries, bits = -1, 0, ""
    for field, name, item in _items(grammar, value):
        state = _state(grammar, after, entries)
        for code, production in enumerate(state):
            slot = grammar.slots[production.slot] if production.slot >= 0 else None
            if slot is None or slot.field != field or (name and slot.name != name):
                continue
            if slot.members and slot.members[production.member][1] is not type(item):
                continue
            bits += _number(code, code_bits(len(state))) + _content(slot, item)
            entries = entries + 1 if production.slot == after else 1
            after = production.slot
            break
        else:
            raise ValueError(f"{field} may not stand here")
    state = _state(grammar, after, entries)
    return bits + _number(state.index(Production(END)), code_bits(len(state)))


def _state(grammar: Grammar, after: int, entries: int) -> list[Production]:
    slot = grammar.slots[after] if after >= 0 else None
    if slot is None or not slot.counted:
        return grammar.state(after)
    if entries < slot.low:
        return [Production(after)]
    return grammar.state(after, full=slot.high is not None and entries >= slot.high)


def _items(grammar: Grammar, value: Any) -> Iterator[tuple[str, str, Any]]:
    for field in dict.fromkeys(slot.field for slot in grammar.slots if slot.field):
        held = getattr(value, field)
        if field == "content":
            yield from ((field, name, item) for name, item in held)
        elif isinstance(held, list):
            yield from ((field, "", item) for item in held)
        elif held is not None or any(slot.within for slot in grammar.slots if slot.field == field):
            yield field, "", held


def _content(slot: Slot, item: Any) -> str:
    if slot.kind != "element":
        return _value(slot.type, item)
    if slot.within is not None:
        return _complex(slot.within(**{slot.within.__struct_fields__[0]: item}))
    if slot.members:
        return _complex(item)
    return "0" + _value(slot.type, item) + "0" if is_simple(slot.type) else _complex(item)


def _value(kind: type[StrEnum] | Coding, item: Any) -> str:
    if not isinstance(kind, Coding):
        return _number(list(kind).index(item), enum_bits(kind))
    match kind.kind:
        case "bool":
            return _number(int(item), 1)
        case "nbit":
            return _number(item - (kind.low or 0), kind.bits)
        case "uint":
            return _unsigned(item)
        case "int":
            return "1" + _unsigned(-item - 1) if item < 0 else "0" + _unsigned(item)
        case "string":
            return _unsigned(len(item) + 2) + "".join(_unsigned(ord(c)) for c in item)
        case "bin":
            return _unsigned(len(item)) + "".join(_number(octet, 8) for octet in item)


def _unsigned(number: int) -> str:
    if number < 0:
        raise ValueError(f"{number} is negative")
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127)
    return "".join(f"{group | (128 if i < len(groups) - 1 else 0):08b}" for i, group in enumerate(groups))


def _number(number: int, bits: int) -> str:
    if not 0 <= number < 1 << bits:
        raise ValueError(f"{number} does not fit in {bits} bits")
    return f"{number:0{bits}b}"
