"""Console blocks of the pages: the commands in them, what they are shown to print, and the marks before the blocks.

A block of the kind `console` has commands behind `$ ` (behind `# ` as root on a board) and what each prints.
`script/docs check` types it, unless the line before it is a mark, which the site does not show:

- `<!-- console: board, REASON -->`: it needs a board, or root on one.
- `<!-- console: elsewhere, REASON -->`: it needs something else that a checkout does not have.
- `<!-- console: slow, REASON -->`: it takes minutes, and is typed with `--slow` only.
- `<!-- console: runs until TEXT -->`: its last command runs on, as in another terminal, until the page ends. The
  check goes on once TEXT is in its output.
- `<!-- console: output, REASON -->`: there is no command in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.docs.site import pages

KINDS = ("board", "elsewhere", "slow", "output")
MARK = re.compile(r"<!-- console: (?:(?P<kind>\w+), (?P<reason>.+)|runs until (?P<until>.+)) -->")
HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


class WrongMark(ValueError):
    """A mark before a console block that has no known kind or no reason."""


class Step(NamedTuple):
    """A command and what the page shows of its output."""

    line: int
    command: str
    shown: list[str]
    root: bool
    """It is typed as root on a board."""


class Console(NamedTuple):
    """A console block."""

    line: int
    kind: str
    """Of its mark: one of `KINDS`, `runs`, or empty."""
    reason: str
    """Of the mark; of `runs`, the text to wait for."""
    steps: list[Step]


def consoles(text: str) -> Iterator[Console]:
    """Return the console blocks of a page. Raises `WrongMark`."""
    for block in pages.blocks(text):
        if block.kind != "console":
            continue
        kind = reason = ""
        if block.before.startswith("<!-- console"):
            mark = MARK.fullmatch(block.before)
            if mark is None or mark["kind"] not in (*KINDS, None):
                raise WrongMark(
                    f"line {block.line - 1}: {block.before} is no mark: tests/docs/site/console.py has them"
                )
            kind, reason = (mark["kind"], mark["reason"]) if mark["kind"] else ("runs", mark["until"])
        yield Console(block.line, kind, reason, list(_steps(block)))


def _steps(block: pages.Block) -> Iterator[Step]:
    lines = block.text.rstrip("\n").split("\n")
    number = 0
    while number < len(lines):
        first = lines[number]
        if not first.startswith(("$ ", "# ")):
            number += 1
            continue
        begin, command = number, [first[2:]]
        number += 1
        if heredoc := HEREDOC.search(first):
            while number < len(lines) and (not command[1:] or command[-1] != heredoc[2]):
                command.append(lines[number])
                number += 1
        while command[-1].endswith("\\") and number < len(lines):
            command.append(lines[number].removeprefix("> "))
            number += 1
        shown = []
        while number < len(lines) and not lines[number].startswith(("$ ", "# ")):
            shown.append(lines[number])
            number += 1
        yield Step(block.line + 1 + begin, "\n".join(command), shown, first.startswith("# "))
