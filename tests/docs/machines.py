"""Draws every state machine of the product into docs/machines/: `script/diagrams --write`."""

from __future__ import annotations

import argparse
import inspect
import sys
from pathlib import Path

from chargebyte_fw.cli.graph_machines import house, machines
from chargebyte_fw.kernel import diagram
from chargebyte_fw.kernel.machine import Machine
from tests.docs import sequences

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs/machines"
NOTE = "<!-- Drawn from the tables by script/diagrams --write: edit the rows, not this page. -->"


def section(kind: type[Machine]) -> str:
    """Return a machine's part of the page of its house."""
    path = kind.__module__.replace(".", "/") + ".py"
    lines = [f"## {kind.__name__}", "", f"`{path}`: {_sentence(kind)}", ""]
    if len(diagram.states(kind)) > 1:
        lines += ["```mermaid", diagram.mermaid(kind).rstrip(), "```", ""]
    lines.append(diagram.rows(kind).rstrip())
    return "\n".join(lines) + "\n"


def _sentence(kind: type) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    houses: dict[str, list[type[Machine]]] = {}
    for kind in machines():
        houses.setdefault(house(kind), []).append(kind)
    texts = {
        f"{name}.md": "\n".join([f"# State machines of `{name}`", "", NOTE, "", *map(section, kinds)])
        for name, kinds in houses.items()
    }
    rows = [
        f"| [{kind.__name__}]({name}.md#{kind.__name__.lower()}) | `{name}` | {_sentence(kind)} |"
        for name, kinds in houses.items()
        for kind in kinds
    ]
    texts["README.md"] = "\n".join(
        [
            "# State machines",
            "",
            NOTE,
            "",
            "Every machine of the product, drawn from its table. The idiom is in `chargebyte_fw/kernel/machine.py`,",
            "the second one, for states that follow from facts, in [level-triggered.md](../level-triggered.md).",
            "",
            "| machine | house | what it is |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )
    texts["v2g-sequences.md"] = sequences.page(NOTE)
    return texts


def differences() -> list[str]:
    """Return the pages that are not what the tables give, or that belong to no house."""
    wanted = pages()
    found = {path.name: path.read_text() for path in TARGET.glob("*.md")}
    return sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))


def main() -> int:
    """Write the pages, or print which are not current."""
    parser = argparse.ArgumentParser(prog="script/diagrams", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/machines/")
    if parser.parse_args().write:
        TARGET.mkdir(exist_ok=True)
        wanted = pages()
        for path in TARGET.glob("*.md"):
            if path.name not in wanted:
                path.unlink()
        for name, text in wanted.items():
            (TARGET / name).write_text(text)
        return 0
    stale = differences()
    for name in stale:
        print(f"docs/machines/{name} is not current: script/diagrams --write", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
