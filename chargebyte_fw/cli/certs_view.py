"""What `secc certs` shows: each chain as a tree, in colours where rich is installed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.cli.table import HANGING, PIPED_LINE, fold, is_plain, size

if TYPE_CHECKING:
    from chargebyte_fw.cli.certs_store import Chosen
    from chargebyte_fw.modules.security.survey import Node, Place, Survey

STYLES = {"used": "green", "spare": "cyan", "unusable": "red", "missing": "red"}
MARKS = {"used": "used", "spare": "spare", "unusable": "NOT USED", "missing": "NOT INSTALLED"}
SERIAL_DIGITS = 12
Line = tuple[str, str]
"""Text and style."""


def lines(survey: Survey, chosen: Chosen) -> Iterator[Line]:
    """Return the whole store as lines with a style each."""
    yield f"certificate store: {chosen.about}", "bold"
    yield f"system time: {_date(survey.at)}" + ("" if survey.clock else ", plausible"), ""
    if survey.clock:
        yield f"  {survey.clock}; set it, then look again", "bold red"
    for place in survey.places:
        yield "", ""
        yield from _place(place, chosen)
    for path in survey.waiting_keys:
        yield f"{path}: a private key without a certificate (a signing request waits for its answer)", "yellow"
    for note in chosen.notes:
        yield note, "yellow"


def _place(place: Place, chosen: Chosen) -> Iterator[Line]:
    users = chosen.users.get(place.kind, [])
    used_by = f"used by {', '.join(users)}" if users else "no module of the configuration uses it"
    yield f"{place.title} ({place.kind})" + (f", {used_by}" if chosen.users else ""), "bold"
    yield "  in " + ", ".join(_short(path) for path in place.where), "dim"
    if not place.trees:
        yield "  nothing is installed", "dim"
    for tree in place.trees:
        yield from _tree(tree, "  ", "  ")


def _tree(node: Node, first: str, rest: str) -> Iterator[Line]:
    yield f"{first}{node.name}, {node.role}: {MARKS[node.state.value]}, {node.why}", STYLES[node.state.value]
    bar = rest + ("│   " if node.children else "    ")
    if node.begin is not None and node.end is not None:
        yield f"{bar}{_day(node.begin)} to {_day(node.end)}, {node.key_kind}, serial {_serial(node.serial)}", ""
    if node.ocsp:
        yield f"{bar}{node.ocsp}", "yellow" if node.ocsp_stale else ""
    if node.own:
        yield f"{bar}key: {_short(node.key) if node.key is not None else 'none'}", "" if node.key is not None else "red"
    if node.files:
        yield f"{bar}file: {', '.join(path.name for path in node.files)}", "dim"
    for child in node.children:
        last = child is node.children[-1]
        yield from _tree(child, rest + ("└── " if last else "├── "), rest + ("    " if last else "│   "))


def show(found: Iterator[Line]) -> None:
    """Print lines, in colours on a terminal."""
    columns = size(piped=PIPED_LINE).columns
    folded = [(part, style) for text, style in found for part in fold(text, columns, _below(text))]
    if is_plain():
        print("\n".join(text for text, _ in folded))
        return
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        print("\n".join(text for text, _ in folded))
        return
    console = Console(soft_wrap=True, highlight=False)
    for text, style in folded:
        console.print(Text(text, style=style))


def _below(text: str) -> str:
    """Return what stands before the further lines of a folded one: the tree goes on."""
    stem = text[: len(text) - len(text.lstrip(" │├└─"))]
    return stem.replace("├", "│").replace("└", " ").replace("─", " ") + HANGING


def as_json(survey: Survey, chosen: Chosen) -> dict[str, Any]:
    """Return the survey as plain data."""
    plain = msgspec.to_builtins(survey, enc_hook=str)
    return {"store": chosen.about, "users": chosen.users, "notes": chosen.notes, **plain}


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _date(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def _serial(serial: str) -> str:
    return serial if len(serial) <= SERIAL_DIGITS else f"{serial[:SERIAL_DIGITS]}..."


def _short(path: Path) -> str:
    """Write the last parts of a path."""
    return str(Path(*path.parts[-3:]))
