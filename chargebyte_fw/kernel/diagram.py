"""Draws a machine from its table: a Mermaid state diagram, and the rows as a Markdown table."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from enum import Enum

from chargebyte_fw.kernel.level_machine import LevelMachine
from chargebyte_fw.kernel.machine import Machine, Row

EVERY = "every state"
MANY = 4
"""More states than this are written by what they leave out."""
Edge = tuple[str, str, str]


def mermaid(machine: type[Machine]) -> str:
    """Return the state diagram: an arrow for each change of state, labelled with its events and timers."""
    lines = ["stateDiagram-v2"]
    initial = getattr(machine, "initial", None)
    names = {state: _identifier(state) for state in states(machine)}
    lines += [f"    {name} : {_label(state)}" for state, name in names.items() if name != _label(state)]
    if initial is not None:
        lines.append(f"    [*] --> {names[initial]}")
    arrows: dict[tuple[str, str], list[str]] = {}
    for source, target, label in _edges(machine):
        arrows.setdefault((source, target), []).append(label)
    if any(source == "every_state" for source, _ in arrows):
        lines.append(f"    every_state : {EVERY}")
    for (source, target), labels in arrows.items():
        text = ", ".join(dict.fromkeys(label for label in labels if label))
        lines.append(f"    {source} --> {target}{f' : {text}' if text else ''}")
    return "\n".join(lines) + "\n"


def rows(machine: type[Machine]) -> str:
    """Return the table: states, event or timer, what the handler does (its first sentence), and where it may lead."""
    found: dict[tuple[str, str], tuple[list[Enum | None], list[str]]] = {}
    for (state, key), row in machine.table.items():
        states, to = found.setdefault((row.method, _key(key)), ([], []))
        states.append(state)
        to += [label for one in _ordered(row.to) if (label := _label(one)) not in to]
    lines = ["| in | on | what | to |", "| --- | --- | --- | --- |"]
    for (method, key), (states, to) in found.items():
        where = _where(states)
        what = _sentence(getattr(machine, method))
        lines.append(f"| {where} | {key} | {what} | {', '.join(to) or '–'} |")
    if issubclass(machine, LevelMachine):
        lines += ["", "| state | what | may be followed by |", "| --- | --- | --- |"]
        for state, one in machine.states.items():
            lines.append(f"| {_label(state)} | {_sentence(type(one))} | {', '.join(map(_label, one.to)) or '–'} |")
    return "\n".join(lines) + "\n"


def _where(states: list[Enum | None]) -> str:
    """Write the states of a row; those that it leaves out where that is shorter."""
    named = [state for state in states if state is not None]
    if not named or len(named) < len(states):
        return EVERY
    others = [state for state in type(named[0]) if state not in named]
    if not others:
        return EVERY
    if len(named) > MANY and len(others) < len(named):
        return f"{EVERY} but {', '.join(_label(one) for one in others)}"
    return ", ".join(_label(one) for one in _ordered(named))


def _everywhere(machine: type[Machine]) -> set[tuple[Row, type | str]]:
    """Return the rows that name every state there is."""
    named: dict[tuple[Row, type | str], set[Enum]] = {}
    for (state, key), row in machine.table.items():
        if state is not None:
            named.setdefault((row, key), set()).add(state)
    return {row for row, states in named.items() if len(states) == len(type(next(iter(states))))}


def _edges(machine: type[Machine]) -> Iterable[Edge]:
    everywhere = _everywhere(machine)
    for (state, key), row in machine.table.items():
        for target in _ordered(row.to):
            anywhere = state is None or (row, key) in everywhere
            source = "every_state" if anywhere or state is None else _identifier(state)
            if target is not state or anywhere:
                yield source, _identifier(target), _key(key)
    if issubclass(machine, LevelMachine):
        for state, one in machine.states.items():
            for target in one.to:
                yield _identifier(state), _identifier(target), ""


def states(machine: type[Machine]) -> list[Enum]:
    """Return the states that the table or the level-triggered states name, in the order of their declaration."""
    found: dict[Enum, None] = {}
    initial = getattr(machine, "initial", None)
    if initial is not None:
        found[initial] = None
    for (state, _), row in machine.table.items():
        found.update(dict.fromkeys([*([] if state is None else [state]), *_ordered(row.to)]))
    if issubclass(machine, LevelMachine):
        found.update(dict.fromkeys(machine.states))
    kinds = {type(state) for state in found}
    return sorted(found, key=_place) if len(kinds) == 1 else list(found)


def _ordered(states: Iterable[Enum]) -> list[Enum]:
    return sorted(states, key=_place)


def _place(state: Enum) -> int:
    return list(type(state)).index(state)


def _identifier(state: Enum) -> str:
    return state.name


def _label(state: Enum) -> str:
    return state.value if isinstance(state.value, str) else state.name


def _key(key: type | str) -> str:
    if isinstance(key, str):
        return f"timer {key}"
    return key.__name__


def _sentence(of: object) -> str:
    text = inspect.getdoc(of) or ""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|")
