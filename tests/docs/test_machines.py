"""docs/machines/ shows what the tables say."""

from __future__ import annotations

from tests.docs import machines


def test_the_diagrams_are_drawn_from_the_present_tables() -> None:
    assert machines.differences() == [], "run script/diagrams --write"


def test_every_machine_says_what_it_is_and_each_row_what_it_does() -> None:
    silent = [kind.__qualname__ for kind in machines.machines() if not kind.__doc__]
    silent += [
        f"{kind.__qualname__}.{row.method}"
        for kind in machines.machines()
        for row in kind.table.values()
        if not getattr(kind, row.method).__doc__
    ]
    assert silent == []
