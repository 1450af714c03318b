"""The pages: every link and anchor resolves, every page is in the site's navigation, every diagram can be drawn."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.site import drawing, pages
from tests.docs.site.pages import DOCS, ROOT

NAMES = [str(path.relative_to(ROOT)) for path in pages.sources()]
ELSEWHERE = ("https://", "http://", "mailto:")


def broken(path: Path, text: str) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    for line, target in pages.links(text):
        if target.startswith(ELSEWHERE):
            continue
        name, _, anchor = target.partition("#")
        goal = (path.parent / name).resolve() if name else path
        if not goal.exists() or not goal.is_relative_to(ROOT):
            found.append(f"line {line}: there is no {name}")
        elif anchor and anchor not in pages.anchors(text if goal == path else goal.read_text("utf-8")):
            found.append(f"line {line}: {name or path.name} has no heading #{anchor}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_link_and_anchor_resolves(name: str) -> None:
    assert broken(ROOT / name, (ROOT / name).read_text("utf-8")) == []


def test_a_broken_link_is_noticed(tmp_path: Path) -> None:
    text = "# One `two`\n[a](#one-two), [b](#three), `[c](none.md)` and\n```\n[d](none.md)\n```\n[e](none.md)\n"
    assert broken(DOCS / "index.md", text) == ["line 2: index.md has no heading #three", "line 6: there is no none.md"]


def test_pages_of_the_site_link_to_what_the_site_has() -> None:
    for path in sorted(DOCS.rglob("*.md")):
        for line, target in pages.links(path.read_text("utf-8")):
            if target.startswith((*ELSEWHERE, "#")):
                continue
            goal = (path.parent / target.partition("#")[0]).resolve()
            there = goal.is_relative_to(DOCS) or goal in (ROOT / "README.md", *(ROOT / name for name in pages.OUTSIDE))
            assert there, f"{path.relative_to(ROOT)}:{line}: the site does not have {target}: name it in code"


def test_every_page_is_in_the_navigation_once() -> None:
    there = sorted([*(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")), *pages.OUTSIDE.values()])
    assert sorted(pages.in_nav()) == there, "nav of mkdocs.yml has each page of docs/ once"


def test_every_diagram_of_the_pages_can_be_drawn() -> None:
    drawn = 0
    for path in pages.sources():
        for block in pages.blocks(path.read_text("utf-8")):
            if block.kind == "mermaid":
                assert drawing.dot(block.text).startswith("digraph")
                drawn += 1
    assert drawn > 30


def test_a_diagram_is_graphvizs() -> None:
    text = 'stateDiagram-v2\n    A : the "first"\n    [*] --> A\n    A --> B : Event\n'
    drawn = drawing.dot(text)
    assert '"A" [label="the \\"first\\""];' in drawn
    assert '"[*]" -> "A";' in drawn
    assert '"A" -> "B" [label="Event"];' in drawn
    with pytest.raises(drawing.NotDrawn, match="note left of A"):
        drawing.dot("stateDiagram-v2\n    note left of A\n")


def test_an_anchor_is_made_as_code_hosts_make_it() -> None:
    text = "# A `b`: c/d\n## Twice\n## Twice\n```\n# no heading\n```\n### [linked](x.md) – dash\n"
    assert pages.anchors(text) == {"a-b-cd", "twice", "twice-1", "linked--dash"}
