"""Draws the state diagrams of the pages, written as Mermaid, with Graphviz: the site needs no script for them."""

from __future__ import annotations

import re
import subprocess
import textwrap

WIDTH = 30
"""Characters of a line of a label."""
HEADER = """digraph states {
  graph [bgcolor=transparent, fontname=Helvetica, nodesep=0.35, ranksep=0.45];
  node [shape=box, style="rounded,filled", fillcolor="#eceff1", color="#546e7a", fontname=Helvetica, fontsize=12];
  edge [color="#546e7a", fontname=Helvetica, fontsize=10];
"""
START = '  "[*]" [shape=circle, style=filled, fillcolor="#546e7a", label="", width=0.15, fixedsize=true];'
NAME = re.compile(r"(?P<name>\w+) : (?P<label>.+)")
ARROW = re.compile(r"(?P<source>\w+|\[\*\]) --> (?P<target>\w+|\[\*\])(?: : (?P<label>.+))?")


class NotDrawn(ValueError):
    """A line of a diagram that is no name, no arrow and no start."""


def dot(text: str) -> str:
    """Return the diagram in Graphviz's language.

    Raises `NotDrawn` for a line that the pages' diagrams do not have.
    """
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    if not lines or lines[0] != "stateDiagram-v2":
        raise NotDrawn(f"the diagram begins with {lines[:1]}, and not with stateDiagram-v2")
    drawn: list[str] = []
    for line in lines[1:]:
        if arrow := ARROW.fullmatch(line):
            source, target = (f'"{one}"' for one in (arrow["source"], arrow["target"]))
            label = f" [label={_label(arrow['label'])}]" if arrow["label"] else ""
            drawn.append(f"  {source} -> {target}{label};")
        elif name := NAME.fullmatch(line):
            drawn.append(f'  "{name["name"]}" [label={_label(name["label"])}];')
        else:
            raise NotDrawn(f"no name, arrow or start: {line}")
    return "\n".join([HEADER + START, *drawn, "}", ""])


def svg(text: str) -> str:
    """Return the drawing of a diagram. Raises `NotDrawn`; what `subprocess` raises when `dot` is not there or fails."""
    done = subprocess.run(["dot", "-Tsvg"], input=dot(text), capture_output=True, text=True, check=True)
    return done.stdout[done.stdout.index("<svg") :]


def _label(text: str) -> str:
    lines = textwrap.wrap(text, WIDTH, break_long_words=False)
    return '"' + "\\n".join(line.replace("\\", "\\\\").replace('"', '\\"') for line in lines) + '"'
