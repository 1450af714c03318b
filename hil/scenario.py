"""Scenarios: what is done to a charger, what it must do, and by when; read from YAML with every finding at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.kernel.names import nearest
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import Entry, MapNode, Node, Scalar, kind, plain
from hil import conditions, events
from hil.conditions import BadCondition, Condition
from hil.events import BadEvent, Event
from hil.findings import errors, read_map

FOLDER = Path(__file__).parent / "scenarios"
CARS = ("iso2", "din", "basic", "iso2-ac", "iso20-dc", "iso20-ac", "iso20-dc-bpt", "mcs")
STARTS = ("booted", "idle", "plugged", "charging")
GROUPS = {
    "session": "sessions, and what a car may do in them",
    "pilot": "control and proximity pilot",
    "safety": "emergency stop, residual current, temperatures",
    "contactor": "contactors that do not obey",
    "link": "UART, power line and a car that falls silent",
    "power": "supplies that fail",
    "operator": "an operator's commands",
}
"""By what a scenario is about, in the order in which they are listed and run."""


class Expectation(msgspec.Struct, frozen=True):
    """Something that must become so, `within_s` of the event (and, if given, not before `not_before_s`)."""

    condition: Condition
    within_s: float
    clause: str
    not_before_s: float = 0.0
    after: str = ""
    """Count from when this condition was first true after the event, in place of the event itself."""


class Keeping(msgspec.Struct, frozen=True):
    """Something that must be so all the time from `after_s` on, `for_s` long."""

    condition: Condition
    after_s: float
    for_s: float
    clause: str


class Step(msgspec.Struct, frozen=True):
    """One thing done (or just waited for), and what follows from it."""

    event: Event | None
    title: str
    pause_s: float = 0.0
    expect: tuple[Expectation, ...] = ()
    keep: tuple[Keeping, ...] = ()


class Scenario(msgspec.Struct, frozen=True):
    """One file of `scenarios/`."""

    name: str
    title: str
    group: str
    car: str
    start: str
    steps: tuple[Step, ...]
    why: str = ""
    soc_percent: float = 50.0
    board: dict[str, bool] = {}
    """What the board has: `rcm`, `emergency_stop`."""
    config: dict[str, Any] = {}
    """Laid over the shipped configuration: module id to its `config_module`."""
    path: str = ""

    @property
    def judged(self) -> int:
        """How many things are judged in it."""
        return sum(len(step.expect) + len(step.keep) for step in self.steps)

    @property
    def needs(self) -> frozenset[str]:
        """What a rig must have for it: protocols, and in small letters what its board must have."""
        wanted = {step.event.needs for step in self.steps if step.event is not None}
        board = {"rcm"} if self.board.get("rcm") else set()
        return frozenset(wanted | board | ({"config"} if self.config else set()))


KEYS = {
    "title": "text",
    "group": tuple(GROUPS),
    "why": "text",
    "car": CARS,
    "start": STARTS,
    "soc_percent": "number",
    "board": "map",
    "config": "map",
    "steps": "list",
}
STEP_KEYS = ("event", "pause_s", "expect", "keep")
EXPECT_KEYS = ("that", "within_s", "not_before_s", "after", "clause")
KEEP_KEYS = ("that", "after_s", "for_s", "clause")
BOARD_KEYS = ("rcm", "emergency_stop")


def load_all(folder: Path = FOLDER) -> list[Scenario]:
    """Read every scenario of a folder; raises ConfigError with the findings of all of them."""
    report = Report()
    found = [scenario for path in sorted(folder.glob("*.yaml")) if (scenario := load(path, report)) is not None]
    if errors(report):
        raise ConfigError(report.findings)
    return in_order(found)


def in_order(scenarios: list[Scenario]) -> list[Scenario]:
    """Return them group by group."""
    groups = list(GROUPS)
    return sorted(scenarios, key=lambda one: (groups.index(one.group), CARS.index(one.car), one.name))


def load(path: Path, report: Report) -> Scenario | None:
    """Read one scenario; None (with findings) when it cannot be run."""
    node = read_map(path, report, "a scenario", tuple(KEYS))
    if node is None:
        return None
    return _Reader(report).scenario(path, node)


def is_scenario(path: Path) -> bool:
    """Return whether a file is meant to be a scenario and no rig; a broken one counts by its beginning."""
    try:
        lines = text_lines(path.read_text("utf-8", "replace"))
    except OSError:
        return False
    keys = {line.partition(":")[0].rstrip() for line in lines if line[:1].isalpha()}
    return len(keys & {"title", "car", "start", "steps"}) > len(keys & {"resources", "drivers", "clock", "wiring"})


class _Reader:
    """Reads nodes into structs and reports what is wrong with each."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self._before = errors(report)

    def scenario(self, path: Path, node: MapNode) -> Scenario | None:
        for entry in node.entries.values():
            if entry.key not in KEYS:
                self.report.unknown_key(entry, "a scenario", KEYS)
        title = self._text(node, "title", "a scenario")
        group = self._choice(node, "group", tuple(GROUPS)) if "group" in node.entries else "session"
        car = self._choice(node, "car", CARS)
        start = self._choice(node, "start", STARTS)
        steps = self._list(node, "steps", "a scenario")
        if node.entries.get("steps") is not None and not steps:
            self.report.error(node.entries["steps"].node.place, "a scenario without steps shows nothing", number="C509")
        done = [self._step(step) for step in steps]
        soc_percent, board = self._number(node, "soc_percent", 50.0, most=100.0), self._board(node)
        judged = any(step.expect or step.keep for step in done)
        if done and not judged and errors(self.report) == self._before:
            place, hint = node.entries["steps"].place, "add expect or keep to a step"
            self.report.warning(place, "nothing is judged in it", hint, number="C510")
        if None in (title, group, car, start) or errors(self.report) > self._before:
            return None
        return Scenario(
            name=path.stem,
            title=title or "",
            group=group or "",
            car=car or "",
            start=start or "",
            steps=tuple(done),
            why=self._text(node, "why", "") or "" if "why" in node.entries else "",
            soc_percent=soc_percent,
            board=board,
            config=self._plain_map(node, "config"),
            path=str(path),
        )

    def _step(self, node: Node) -> Step:
        step = self.report.a_map(node, "a step")
        if step is None:
            return Step(None, "")
        self._known(step, "a step", STEP_KEYS)
        event: Event | None = None
        if "event" in step.entries:
            written = step.entries["event"].node
            text = self.report.text(written, "event")
            if text is not None:
                try:
                    event = events.parse(text)
                except BadEvent as error:
                    self.report.error(written.place, str(error), error.hint, number="C511")
        elif not step.entries.keys() & {"pause_s", "expect", "keep"}:
            hint = "give it an event, pause_s, expect or keep"
            self.report.error(step.place, "a step does nothing", hint, number="C509")
        return Step(
            event=event,
            title=event.text if event is not None else "",
            pause_s=self._number(step, "pause_s", 0.0),
            expect=tuple(one for item in self._list(step, "expect") if (one := self._expectation(item)) is not None),
            keep=tuple(kept for item in self._list(step, "keep") if (kept := self._keeping(item)) is not None),
        )

    def _expectation(self, node: Node) -> Expectation | None:
        item = self.report.a_map(node, "an expectation")
        if item is None:
            return None
        self._known(item, "an expectation", EXPECT_KEYS)
        condition = self._condition(item, "that")
        within_s = self._number(item, "within_s", None)
        clause = self._text(item, "clause", "an expectation")
        after = self._condition(item, "after") if "after" in item.entries else None
        if condition is None or clause is None:
            return None
        not_before_s = self._number(item, "not_before_s", 0.0)
        if not_before_s >= within_s and within_s:
            place = item.entries["not_before_s"].node.place
            self.report.error(place, "not_before_s is not before within_s", number="C512")
        return Expectation(condition, within_s, clause, not_before_s, after.text if after is not None else "")

    def _keeping(self, node: Node) -> Keeping | None:
        item = self.report.a_map(node, "what is kept")
        if item is None:
            return None
        self._known(item, "what is kept", KEEP_KEYS)
        condition, clause = self._condition(item, "that"), self._text(item, "clause", "what is kept")
        after_s, for_s = self._number(item, "after_s", 0.0), self._number(item, "for_s", None)
        return None if condition is None or clause is None else Keeping(condition, after_s, for_s, clause)

    def _condition(self, item: MapNode, key: str) -> Condition | None:
        text = self._text(item, key, "an expectation")
        if text is None:
            return None
        try:
            return conditions.parse(text)
        except BadCondition as error:
            self.report.error(item.entries[key].node.place, str(error), error.hint, number="C513")
            return None

    def _known(self, node: MapNode, of: str, keys: tuple[str, ...]) -> None:
        for entry in node.entries.values():
            if entry.key not in keys:
                self.report.unknown_key(entry, of, keys)

    def _text(self, node: MapNode, key: str, of: str) -> str | None:
        entry = self._entry(node, key, of)
        return None if entry is None else self.report.text(entry.node, key)

    def _entry(self, node: MapNode, key: str, of: str) -> Entry | None:
        entry = node.entries.get(key)
        if entry is None:
            self.report.error(node.place, f"{of} needs {key}", f"add {key}:", number="C026")
        return entry

    def _choice(self, node: MapNode, key: str, allowed: tuple[str, ...]) -> str | None:
        text = self._text(node, key, "a scenario")
        if text is not None and text not in allowed:
            place = node.entries[key].node.place
            what = f"{key} must be one of {', '.join(allowed)}, not {text}"
            self.report.error(place, what, nearest(text, allowed), number="C027")
            return None
        return text

    def _number(self, node: MapNode, key: str, default: float | None, most: float = 3600.0) -> float:
        entry = node.entries.get(key)
        if entry is None:
            if default is None:
                self.report.error(node.place, f"{key} is missing", f"add {key}: <seconds>", number="C026")
            return default or 0.0
        value = entry.node.value if isinstance(entry.node, Scalar) else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            what = f"{key} must be a number from 0 to {most:g}, not {kind(entry.node)}"
            self.report.error(entry.node.place, what, number="C027")
            return 0.0
        return float(value)

    def _list(self, node: MapNode, key: str, needed_by: str = "") -> list[Node]:
        entry = self._entry(node, key, needed_by) if needed_by else node.entries.get(key)
        found = None if entry is None else self.report.a_list(entry.node, key)
        return [] if found is None else found.items

    def _board(self, node: MapNode) -> dict[str, bool]:
        board = self._map(node, "board")
        values = {}
        for entry in board.entries.values():
            if entry.key not in BOARD_KEYS:
                self.report.unknown_key(entry, "board", BOARD_KEYS)
                continue
            value = self.report.boolean(entry.node, entry.key)
            values[entry.key] = bool(value)
        return values

    def _plain_map(self, node: MapNode, key: str) -> dict[str, Any]:
        found = plain(self._map(node, key))
        assert isinstance(found, dict)
        return found

    def _map(self, node: MapNode, key: str) -> MapNode:
        entry = node.entries.get(key)
        found = None if entry is None else self.report.a_map(entry.node, key)
        return MapNode(Place("")) if found is None else found
