"""The text of a generated function: its lines, the names it uses, and which field each line is about."""

from __future__ import annotations

import sys
from collections.abc import Callable
from enum import StrEnum
from types import CodeType, TracebackType
from typing import Any

_places: dict[CodeType, tuple[str, dict[int, str]]] = {}


class Source:
    """The text of one function."""

    has_places = True
    """Whether `place_of` finds the fields of its lines."""

    def __init__(self, title: str, **names: Any) -> None:
        self.title = title
        self.place = ""
        """The field that the next lines are about."""
        self.names: dict[str, Any] = names
        self._lines: list[str] = []
        self._fields: dict[int, str] = {}

    def line(self, text: str) -> None:
        """Add a line."""
        self._lines.append(text)
        self._fields[len(self._lines)] = self.place

    def name(self, value: Any, hint: str) -> str:
        """Make `value` reachable from the generated code; returns its name there."""
        name = sys.intern(f"{hint}_{len(self.names)}")
        self.names[name] = value
        return name

    def later(self, make: Callable[[], Any], hint: str) -> str:
        """Like `name`, for a function that is generated at its first call."""
        name = self.name(None, hint)
        self.names[name] = NotGenerated(self.names, name, make)
        return name

    @property
    def text(self) -> str:
        """The source so far."""
        return "\n".join(self._lines) + "\n"

    def compile(self) -> Any:
        """Return the function, which must be called `run` in the text."""
        exec(compile(self.text, f"<EXI {self.title}>", "exec"), self.names)
        function = self.names["run"]
        if self.has_places:
            _places[function.__code__] = (self.title, self._fields)
        return function


class NotGenerated:
    """Stands in `holder[key]` for a function that is generated at its first call."""

    __slots__ = ("_holder", "_key", "_make")

    def __init__(self, holder: Any, key: Any, make: Callable[[], Any]) -> None:
        self._holder, self._key, self._make = holder, key, make

    def __call__(self, *arguments: Any) -> Any:
        """Generate the function, and call it."""
        return self.generate()(*arguments)

    @property
    def cls(self) -> type | None:
        """The type that the function is for, where it is known."""
        return next(iter(getattr(self._make, "args", ())), None)

    def generate(self) -> Callable[..., Any]:
        """Return the function; it takes the place of this."""
        function: Callable[..., Any] = self._make()
        self._holder[self._key] = function
        return function


def place_of(trace: TracebackType | None) -> str:
    """Return the path of fields in which an exception left the generated functions."""
    path: list[str] = []
    group = True
    while trace is not None:
        found = _places.get(trace.tb_frame.f_code)
        if found is not None:
            title, fields = found
            field = fields.get(trace.tb_lineno, "")
            # The root and the members of a group are named by their type, everything else by its field.
            if group:
                path.append(title)
            group = field.endswith("?")
            name = field.rstrip("?")
            if name:
                entries = trace.tb_frame.f_locals.get("entries")
                path.append(
                    name if not name.endswith("[]") else f"{name[:-2]}[{entries if entries is not None else ''}]"
                )
        trace = trace.tb_next
    return ".".join(path)


def is_enum(kind: Any) -> bool:
    """Distinguish an enumeration from a coding."""
    return isinstance(kind, type) and issubclass(kind, StrEnum)
