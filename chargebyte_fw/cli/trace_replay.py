"""Plays a trace through the machines of every house that can."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chargebyte_fw.board import replay as board
from chargebyte_fw.kernel.replay import Outcome
from chargebyte_fw.kernel.trace import Entry
from chargebyte_fw.modules.evse import replay as evse
from chargebyte_fw.modules.power import replay as power
from chargebyte_fw.modules.slac import replay as slac
from chargebyte_fw.modules.v2g import replay as v2g

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
