"""Reads the pages as they are written: fenced blocks, headings with their anchors, links, and the order of the site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).resolve().parents[3]
DOCS = ROOT / "docs"
OUTSIDE = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages of the repository that the site has, too, and their names there."""
BESIDE = ("README.md", "meta-layer/README.md")
"""Pages of the repository that the site does not have."""

FENCE = re.compile(
    r"^(?P<indent> *)```(?P<kind>[\w+-]*)[^\n`]*\n(?P<text>.*?)^(?P=indent)``` *$", re.MULTILINE | re.DOTALL
)
HEADING = re.compile(r"^(#{1,6}) +(.*?) *#*$", re.MULTILINE)
LINK = re.compile(r"(?<!\\)\]\((?P<target>[^)\s]+)\)")
CODE_SPAN = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)


class Block(NamedTuple):
    """A fenced block."""

    line: int
    kind: str
    text: str
    before: str
    """The last line with text before the block: a mark of it stands there."""


def sources() -> list[Path]:
    """Return every page that is written by hand or generated into the tree."""
    return [*(ROOT / name for name in (*BESIDE, *OUTSIDE)), *sorted(DOCS.rglob("*.md"))]


def blocks(text: str) -> Iterator[Block]:
    """Return the fenced blocks of a page."""
    for found in FENCE.finditer(text):
        indent = len(found["indent"])
        lines = [line[indent:] for line in found["text"].split("\n")]
        before = text[: found.start()].rstrip().rpartition("\n")[2].strip()
        yield Block(text.count("\n", 0, found.start()) + 1, found["kind"], "\n".join(lines), before)


def prose(text: str) -> str:
    """Return the page with the letters of fenced blocks and code spans blanked: what is left has links and headings."""
    without = FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    return CODE_SPAN.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), without)


def slug(title: str, separator: str = "-") -> str:
    """Return the anchor of a heading, made as code hosts make it: `GET: a/b` is `get-ab`."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", separator)


def title(text: str) -> str:
    """Return the first heading of a page."""
    found = HEADING.search(FENCE.sub("", text))
    return found[2] if found else ""


def anchors(text: str) -> set[str]:
    """Return the anchors of a page: of its headings, and those that are written as `<a id="...">`."""
    without = FENCE.sub("", text)
    found: set[str] = set(re.findall(r"""<a (?:id|name)=["']([^"']+)["']""", without))
    for heading in HEADING.finditer(without):
        name = slug(heading[2])
        number = 0
        while (one := f"{name}-{number}" if number else name) in found:
            number += 1
        found.add(one)
    return found


def links(text: str) -> Iterator[tuple[int, str]]:
    """Return line and target of each link and image of a page."""
    plain = prose(text)
    for found in LINK.finditer(plain):
        yield plain.count("\n", 0, found.start()) + 1, found["target"]


def configuration() -> dict[str, Any]:
    """Return mkdocs.yml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    return found


def in_nav(entries: Any = None) -> Iterator[str]:
    """Return the page of each entry of the site's navigation."""
    for entry in configuration()["nav"] if entries is None else entries:
        for value in entry.values() if isinstance(entry, dict) else [entry]:
            if isinstance(value, str):
                yield value
            else:
                yield from in_nav(value)
