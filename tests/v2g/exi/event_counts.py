"""How many productions each state of each type has: the shape of every grammar, written down once it was proven right.

`python -m tests.v2g.exi.event_counts` prints the file anew; do so only when a declaration changed on purpose.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from chargebyte_fw.modules.v2g.exi.grammar import grammar_of
from chargebyte_fw.modules.v2g.messages.model import Type

MODULES = (
    "sap",
    "din",
    "iso2",
    "iso20_types",
    "iso20_contracts",
    "iso20_schedules",
    "iso20_common",
    "iso20_ac",
    "iso20_ac_der_iec",
    "iso20_der_sae_types",
    "iso20_ac_der_sae",
    "iso20_dc",
    "iso20_wpt",
    "iso20_acdp",
    "xmldsig",
)


def lines(name: str) -> Iterator[str]:
    """Yield one line a type of a module: its name, then the productions by state (`a/b`: list open / list full)."""
    module = importlib.import_module(f"chargebyte_fw.modules.v2g.messages.{name}")
    for cls in sorted(vars(module).values(), key=lambda found: getattr(found, "__name__", "")):
        if not (isinstance(cls, type) and issubclass(cls, Type) and cls.__module__ == module.__name__):
            continue
        if cls.__name__.startswith("_"):
            continue
        grammar = grammar_of(cls)
        counts = [str(len(grammar.state(-1)))]
        for slot in grammar.slots:
            full = len(grammar.state(slot.index))
            opened = f"{len(grammar.state(slot.index, full=False))}/" if slot.counted else ""
            counts.append(f"{opened}{'-' if slot.counted and slot.high is None else full}")
        yield f"{name} {cls.__name__} {' '.join(counts)}"


if __name__ == "__main__":
    for each in MODULES:
        print("\n".join(lines(each)))
