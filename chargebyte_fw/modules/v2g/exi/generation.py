"""Compiles everything that the function of a message calls, before the first message comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from chargebyte_fw.modules.v2g.exi.source import NotGenerated

_UNUSED = ("KeyInfoType", "ObjectType")
"""Of signatures, which V2G leaves out."""


def reads(kind: type) -> bool:
    """Return whether a charger reads such a type: of messages the requests."""
    return not kind.__name__.endswith("Res") and kind.__name__ not in _UNUSED


def writes(kind: type) -> bool:
    """Return whether a charger writes such a type: of messages the responses."""
    return not kind.__name__.endswith("Req") and kind.__name__ not in _UNUSED


def generate(function: Callable[..., Any], kind: type, wanted: Callable[[type], bool]) -> Iterator[str]:
    """Generate what the function of a type calls and what that calls, for the wanted types; yields after each one."""
    yield kind.__name__
    waiting, seen = [function], {id(function)}
    while waiting:
        for called in _called(waiting.pop()):
            cls = called.cls if isinstance(called, NotGenerated) else None
            if isinstance(called, NotGenerated):
                if cls is None or not wanted(cls):
                    continue
                called = called.generate()
                yield cls.__name__
            if id(called) not in seen:
                seen.add(id(called))
                waiting.append(called)


def _called(function: Callable[..., Any]) -> list[Any]:
    """Return the functions that a generated function calls, generated or not."""
    found: list[Any] = []
    for value in getattr(function, "__globals__", {}).values():
        if isinstance(value, list):
            found += value
        elif isinstance(value, dict):
            found += value.values()
        else:
            found.append(value)
    return [one for one in found if isinstance(one, NotGenerated) or "run" in getattr(one, "__globals__", {})]
