"""docs/machines/ shows what the tables say."""

from __future__ import annotations

from chargebyte_fw.cli.graph_machines import machines
from tests.docs.machines import differences


def test_the_diagrams_are_drawn_from_the_present_tables() -> None:
    assert differences() == [], "run script/diagrams --write"


def test_every_machine_says_what_it_is_and_each_row_what_it_does() -> None:
    silent = [kind.__qualname__ for kind in machines() if not kind.__doc__]
    silent += [
        f"{kind.__qualname__}.{row.method}"
        for kind in machines()
        for row in kind.table.values()
        if not getattr(kind, row.method).__doc__
    ]
    assert silent == []
