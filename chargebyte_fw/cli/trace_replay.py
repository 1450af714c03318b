"""Plays a trace through the machines of every house with a replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from chargebyte_fw.board import replay as board
from chargebyte_fw.kernel.replay import Outcome
from chargebyte_fw.kernel.trace import Entry
from chargebyte_fw.modules.evse import replay as evse
from chargebyte_fw.modules.power import replay as power
from chargebyte_fw.modules.slac import replay as slac
from chargebyte_fw.modules.v2g import replay as v2g

ACCEPTED = ("trace", "accepted")

HOUSES: dict[str, Callable[[Sequence[Entry]], list[Outcome]]] = {
    "board": board.replay,
    "slac": slac.replay,
    "v2g": v2g.replay,
    "evse": evse.replay,
    "power": power.replay,
}


def play(entries: Sequence[Entry], only: str | None = None) -> list[Outcome]:
    """Play everything that begins in this trace, or one house's part of it."""
    return [outcome for name, replay in HOUSES.items() if only in (None, name) for outcome in replay(entries)]


def accepted(entries: Sequence[Entry]) -> dict[str, str]:
    """Return what was accepted last: of each part that differs, its first difference as text."""
    found: dict[str, str] = {}
    for _, kind, source, data in entries:
        if (kind, source) == ACCEPTED and isinstance(data, dict):
            found = {str(what): str(words) for what, words in data.items()}
    return found


def is_wanted(outcome: Outcome, wanted: dict[str, str]) -> bool:
    """Whether a part went as recorded, or differs as it was accepted."""
    return not outcome.remark and str(outcome.difference or "") == wanted.get(outcome.what, "")


def accept(path: Path, entries: Sequence[Entry], outcomes: Sequence[Outcome]) -> None:
    """Add to a trace that this is what its inputs should lead to. Raises OSError."""
    import cbor2

    differences = {outcome.what: str(outcome.difference) for outcome in outcomes if outcome.difference}
    with path.open("ab") as file:
        file.write(cbor2.dumps([entries[-1][0], *ACCEPTED, differences]))
