"""The commands of the pages exist: verbs, options, scripts and files, also of the blocks that only a board can run."""

from __future__ import annotations

import re

import pytest

from tests.docs.site import commands, pages
from tests.docs.site.console import WrongMark, consoles
from tests.docs.site.output import difference
from tests.docs.site.pages import ROOT

NAMES = [str(path.relative_to(ROOT)) for path in pages.sources()]
PROMPT = re.compile(r"^(\$ |secc (?![\w ]*: )|script/|python -m )", re.MULTILINE)


def findings(text: str) -> list[str]:
    """What the console blocks and code spans of a page name and there is not."""
    found = []
    for block in consoles(text):
        if (block.kind == "output") == bool(block.steps):
            found.append(f"line {block.line}: a block without commands, and no other, is marked as output")
        for step in block.steps:
            if step.root and block.kind != "board":
                found.append(f"line {step.line}: a command of root is on a board: mark the block")
            for words in commands.simple(step.command.partition("\n")[0] if "<<" in step.command else step.command):
                if problem := commands.unknown(words, parsed=True):
                    found.append(f"line {step.line}: {problem}")
            paths = commands.absent(step.command)
            found += [f"line {step.line}: there is no {path}" for path in paths if not path.startswith("script/")]
    for span in commands.in_page(pages.FENCE.sub("", text)):
        for words in commands.simple(re.sub(r"[<>;&()]", " ", span.replace("\\|", "|").replace("|", "\\|"))):
            if problem := commands.unknown(words, parsed=False):
                found.append(f"`{span}`: {problem}")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_command_of_a_page_exists(name: str) -> None:
    assert findings((ROOT / name).read_text("utf-8")) == []


@pytest.mark.parametrize("name", [name for name in NAMES if name != "CONTRIBUTING.md"])
def test_commands_are_in_console_blocks(name: str) -> None:
    for block in pages.blocks((ROOT / name).read_text("utf-8")):
        assert block.kind == "console" or not PROMPT.search(block.text), f"line {block.line}: its kind is console"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("CHANGELOG.md", "CONTRIBUTING.md")])
def test_every_file_that_a_page_names_exists(name: str) -> None:
    text = pages.FENCE.sub("", (ROOT / name).read_text("utf-8"))
    spans = re.findall(r"(?<!`)`([^`\s]+)`(?!`)", text)
    assert [path for span in spans if commands.IN_TREE.fullmatch(span) for path in commands.absent(span)] == []


def test_what_there_is_not_is_noticed() -> None:
    page = """
```console
$ secc chek FILE
$ X=1 secc check --depth 3 FILE | tail -n 3
$ secc auth add
$ script/tests
$ script/soak --lifes 3
$ python -m chargebyte_fw.sims
$ secc check etc/everest/none.yaml && secc hil run --all >out.txt 2>&1
# secc version
```

Type `secc certs lost FILE`, `secc auth list\\|remove` or `secc trace show --las N`.
"""
    assert findings(page) == [
        "line 3: secc has no chek",
        "line 4: secc check has no option --depth",
        "line 5: secc auth add: error: the following arguments are required: TOKEN",
        "line 6: there is no script/tests",
        "line 7: script/soak has no option --lifes",
        "line 8: there is no module chargebyte_fw.sims",
        "line 9: there is no etc/everest/none.yaml",
        "line 10: a command of root is on a board: mark the block",
        "`secc certs lost FILE`: secc certs has no lost",
        "`secc trace show --las N`: secc trace show has no option --las",
    ]


def test_a_block_has_its_mark_on_the_line_before() -> None:
    text = """
<!-- console: board, needs a modem -->
```console
# cat >file <<X
$ no command
X
$ one \\
  two
printed
```

<!-- console: runs until ready -->
```console
$ secc run
```
"""
    board, runs = consoles(text)
    assert (board.kind, board.reason, runs.kind, runs.reason) == ("board", "needs a modem", "runs", "ready")
    assert [step.command for step in board.steps] == ["cat >file <<X\n$ no command\nX", "one \\\n  two"]
    assert [(step.line, step.root, step.shown) for step in board.steps] == [(4, True, []), (7, False, ["printed"])]
    with pytest.raises(WrongMark, match="line 2"):
        list(consoles("\n<!-- console: never -->\n```console\n$ true\n```\n"))


PLACES = {"/tmp/x/home": "~"}


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["Energy   101.2 Wh", "~/log"], "Energy 7 Wh\n\n/tmp/x/home/log\n"),
        (["at 2026-11-29T21:58:01.196Z"], "at 2027-01-01T00:00:00Z"),
        (["serial 6c311bd7400a"], "serial 75f09eb405c4"),
        (["a", "...", "d"], "a\nb\nc\nd"),
        (["...", "d"], "d"),
        (["x ... z"], "x y z"),
        (["╭── summary ──╮", "│ Result  ok │"], "╭─────── summary ────╮\n│ Result     ok      │\n"),
        ([], ""),
    ],
)
def test_output_that_differs_in_figures_only_is_the_same(shown: list[str], printed: str) -> None:
    assert difference(shown, printed, PLACES) == ""


@pytest.mark.parametrize(
    ("shown", "printed", "what"),
    [
        (["charged"], "failed", "shown, but not printed: charged"),
        (["a", "c"], "a\nb\nc", "printed, but not shown (or in another order): b"),
        (["a", "b"], "b\na", "printed, but not shown (or in another order): b | a"),
        (["iso2"], "din", "shown, but not printed: iso2"),
    ],
)
def test_other_output_is_noticed(shown: list[str], printed: str, what: str) -> None:
    assert difference(shown, printed, {}) == what
