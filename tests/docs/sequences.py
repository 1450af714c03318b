"""Draws the sequences of V2G messages from their tables: which request may come when, and where it leads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargebyte_fw.modules.v2g.secc.common.sequence import EARLY_STOP
from chargebyte_fw.modules.v2g.secc.din import sequence as din
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as iso2
from chargebyte_fw.modules.v2g.secc.iso20 import sequence as iso20

Sequence = Mapping[Any, Mapping[str, tuple[Any, ...]]]

SEQUENCES: dict[str, tuple[str, Sequence, Sequence]] = {
    "DIN SPEC 70121": ("chargebyte_fw/modules/v2g/secc/din/sequence.py", din.SEQUENCE, EARLY_STOP),
    "ISO 15118-2, DC": ("chargebyte_fw/modules/v2g/secc/iso2/sequence.py", iso2.DC, iso2.DC_EARLY_STOP),
    "ISO 15118-2, AC": ("chargebyte_fw/modules/v2g/secc/iso2/sequence.py", iso2.AC, iso2.AC_EARLY_STOP),
    "ISO 15118-20, DC": ("chargebyte_fw/modules/v2g/secc/iso20/sequence.py", iso20.DC, iso20.EARLY_STOP),
    "ISO 15118-20, AC": ("chargebyte_fw/modules/v2g/secc/iso20/sequence.py", iso20.AC, {}),
}


def mermaid(sequence: Sequence, early_stop: Sequence) -> str:
    """Return the state diagram: an arrow for each request that leads to another state."""
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(sequence)).name}"]
    arrows: dict[tuple[str, str], list[str]] = {}
    for table, remark in ((sequence, ""), (early_stop, " (stop)")):
        for state, requests in table.items():
            for request, targets in requests.items():
                for target in targets:
                    arrows.setdefault((state.name, target.name), []).append(request + remark)
    lines += [f"    {source} --> {target} : {', '.join(names)}" for (source, target), names in arrows.items()]
    return "\n".join(lines)


def table(sequence: Sequence, early_stop: Sequence) -> str:
    """Return the table: the requests that may come in each state, and what they may lead to."""
    lines = ["| in | request | may lead to |", "| --- | --- | --- |"]
    for state, requests in sequence.items():
        early = {f"{name} (stop)": targets for name, targets in early_stop.get(state, {}).items()}
        for name, targets in {**requests, **early}.items():
            lines.append(f"| {state.name} | {name} | {', '.join(one.name for one in targets) or '–'} |")
    return "\n".join(lines)


def section(title: str) -> str:
    """Return the part of a protocol."""
    path, sequence, early_stop = SEQUENCES[title]
    diagram = ["```mermaid", mermaid(sequence, early_stop), "```"]
    return "\n".join([f"## {title}", "", f"`{path}`", "", *diagram, "", table(sequence, early_stop), ""])


def page(note: str) -> str:
    """Return the page."""
    intro = "A request that its state does not list is refused with FAILED_SequenceError, and the session ends."
    return "\n".join(["# Sequences of V2G messages", "", note, "", intro, "", *map(section, SEQUENCES)])
