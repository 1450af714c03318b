"""Content models that are no plain sequence (XML signature mostly): walked as particles, one event at a time.

The state is what may still come: a chain of particles with their repetition counts. The productions of a state follow
from it by the rules of the profile: attributes, elements in order, wildcard, end of element, untyped characters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chargebyte_fw.modules.v2g.exi.errors import EncodeError, ExiError
from chargebyte_fw.modules.v2g.exi.grammar import code_bits, items_of
from chargebyte_fw.modules.v2g.messages.model import ANY, Coding, Irregular, Particle

ReadValue = Callable[[Any, int, int], tuple[Any, int]]
WriteValue = Callable[[Any, Any, int, int], tuple[int, int]]

MAX_PARTS = 4096
"""More parts in one element than any V2G message has."""


@dataclass(frozen=True)
class _Step:
    """A particle and how often it has already been taken, then the rest of the chain."""

    particle: Particle
    taken: int
    rest: _Step | None


def _productions(chain: _Step | None) -> tuple[list[tuple[Particle, _Step | None]], bool]:
    """Return the elements that may come with the chain after each, and whether the end may come."""
    found: list[tuple[Particle, _Step | None]] = []
    while chain is not None:
        particle, taken, rest = chain.particle, chain.taken, chain.rest
        if particle.high is None or taken < particle.high:
            again = _Step(particle, taken + 1, rest)
            starts, _ = _starts(particle, again)
            found += starts
        if taken < particle.low and not _nullable(particle):
            return found, False
        chain = rest
    return found, True


def _starts(particle: Particle, after: _Step | None) -> tuple[list[tuple[Particle, _Step | None]], bool]:
    if particle.kind == "element":
        return [(particle, after)], False
    if particle.kind == "choice":
        found = []
        for part in particle.parts:
            found += _productions(_Step(part, 0, None))[0]
        return [(element, _append(chain, after)) for element, chain in found], False
    chain: _Step | None = None
    for part in reversed(particle.parts):
        chain = _Step(part, 0, chain)
    found, empty = _productions(chain)
    return [(element, _append(rest, after)) for element, rest in found], empty


def _append(chain: _Step | None, tail: _Step | None) -> _Step | None:
    if chain is None:
        return tail
    return _Step(chain.particle, chain.taken, _append(chain.rest, tail))


def _nullable(particle: Particle) -> bool:
    if particle.low == 0:
        return True
    if particle.kind == "element":
        return False
    if particle.kind == "choice":
        return any(_nullable(part) for part in particle.parts)
    return all(_nullable(part) for part in particle.parts)


def _is_simple(kind: Any) -> bool:
    return isinstance(kind, Coding)


def _coding(kind: Any) -> Any:
    """Return the coding inside an annotated simple type, or the class of a complex one."""
    return kind.__metadata__[0] if hasattr(kind, "__metadata__") else kind


class _State:
    """Where the walk through one element stands: attributes still to come, then the chain of content."""

    def __init__(self, cls: type[Irregular]) -> None:
        self.cls = cls
        self.attributes = list(items_of(cls))
        self.chain: _Step | None = _Step(cls.particles, 0, None)

    def options(self) -> list[tuple[str, Any]]:
        """Return this state's productions: ("attribute", item), ("element", (particle, chain)), ("end", ...), ("text", ...)."""
        found: list[tuple[str, Any]] = []
        for item in self.attributes:
            found.append(("attribute", item))
            if item.low:
                return found
        elements, end = _productions(self.chain)
        found += [("element", each) for each in elements if each[0].type is not ANY]
        found += [("element", each) for each in elements if each[0].type is ANY]
        if end:
            found.append(("end", None))
        if self.cls.mixed:
            found.append(("text", None))
        return found

    def pass_attribute(self, item: Any) -> None:
        self.attributes = self.attributes[self.attributes.index(item) + 1 :]


def read_irregular(cls: type[Irregular], data: int, left: int, read_value: ReadValue) -> tuple[Irregular, int]:
    """Read one element of an irregular type; raises ExiError."""
    state = _State(cls)
    fields: dict[str, Any] = {}
    content: list[tuple[str, Any]] = []
    for _ in range(MAX_PARTS):
        options = state.options()
        width = code_bits(len(options))
        left -= width
        code = data >> left & ((1 << width) - 1)
        if code >= len(options):
            raise ExiError(f"{cls.__name__}: no event {code} here")
        kind, what = options[code]
        if kind == "end":
            return cls(content=content, **fields), left
        if kind == "attribute":
            fields[what.name], left = read_value(what.type, data, left)
            state.pass_attribute(what)
        elif kind == "text":
            raise ExiError(f"{cls.__name__}: characters between elements are not spoken in V2G")
        else:
            particle, chain = what
            if particle.type is ANY:
                raise ExiError(f"{cls.__name__}: an element beyond the schema cannot be read")
            state.attributes, state.chain = [], chain
            value, left = _read_element(_coding(particle.type), data, left, read_value)
            content.append((particle.name, value))
    raise ExiError(f"{cls.__name__}: more than {MAX_PARTS} parts")


def _read_element(kind: Any, data: int, left: int, read_value: ReadValue) -> tuple[Any, int]:
    if not _is_simple(kind):
        return read_value(kind, data, left)
    left -= 1
    value, left_after = read_value(kind, data, left)
    left_after -= 1
    if data >> left & 1 or data >> left_after & 1:
        raise ExiError("not in the schema here")
    return value, left_after


def write_irregular(
    cls: type[Irregular], value: Irregular, stream: int, bits: int, write_value: WriteValue
) -> tuple[int, int]:
    """Write one element of an irregular type; raises EncodeError."""
    state = _State(cls)

    def code(wanted: Callable[[str, Any], bool], what: str) -> Any:
        nonlocal stream, bits
        options = state.options()
        for number, (kind, detail) in enumerate(options):
            if wanted(kind, detail):
                width = code_bits(len(options))
                stream, bits = stream << width | number, bits + width
                return detail
        raise EncodeError(f"{cls.__name__}: {what} may not stand here")

    for item in items_of(cls):
        attribute = getattr(value, item.name)
        if attribute is not None:
            code(lambda kind, detail, item=item: kind == "attribute" and detail is item, item.name)  # type: ignore[misc]
            stream, bits = write_value(item.type, attribute, stream, bits)
            state.pass_attribute(item)
    for name, part in value.content:
        particle, chain = code(
            lambda kind, detail, name=name: kind == "element" and detail[0].name == name,  # type: ignore[misc]
            name,
        )
        state.attributes, state.chain = [], chain
        inner = _coding(particle.type)
        if _is_simple(inner):
            stream, bits = write_value(inner, part, stream << 1, bits + 1)
            stream, bits = stream << 1, bits + 1
        else:
            stream, bits = write_value(inner, part, stream, bits)
    code(lambda kind, _: kind == "end", "the end")
    return stream, bits
