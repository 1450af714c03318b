"""Names and prose are plain: words of our own coining, and prose in which code talks, stay out of the product."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PLACES = ("chargebyte_fw", "hil", "bench")

TALK = {"tell", "tells", "telling", "told", "say", "says", "saying", "said", "hear", "hears", "hearing", "heard"}
"""Code returns, raises, publishes, logs and notifies."""
PERSONS = {"somebody", "nobody"}
COINED = {"errand", "errands", "neighbour", "neighbours", "shelf", "forgiving", "objection", "objections"}
PHRASES = ("the hands of", "has hands", "has the hands", "without hands", "charging kernel")
IN_PROSE = TALK | PERSONS | COINED
IN_NAMES = IN_PROSE | {"hands", "flood", "floods", "flight", "flights"}
WHOLE_NAMES = {
    "Book",
    "Broken",
    "Heard",
    "Later",
    "Objection",
    "Outside",
    "Said",
    "Strange",
    "flood",
    "ground",
    "sole",
    "way_out",
}
FILES = {
    "notices",
    "hands",
    "neighbours",
    "ground",
    "flood",
    "sole",
    "standing",
    "forgiving",
    "garbage",
    "errands",
    "shelf",
    "face",
}
SUFFIXES = ("_side", "_book")

FOREIGN_NAMES = {"tell", "say_hello", "SAIDType", "limits_root_side", "powermeter_car_side", "powermeter_grid_side"}
"""Names that a library, a schema or EVerest has."""


def files() -> list[str]:
    paths = [path for place in PLACES for path in sorted((ROOT / place).rglob("*.py"))]
    return [str(path.relative_to(ROOT)) for path in paths]


def parts_of(name: str) -> list[str]:
    """Split `HeardIt_said` at underscores and capitals: heard, it, said."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def names(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each name that the file itself gives."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def prose(text: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of each comment and docstring; also the strings below fields and constants."""
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value


def plain_words(text: str) -> set[str]:
    """The words of prose; what stands in backquotes or quotes is code, or somebody else's text."""
    return set(re.findall(r"[a-z]+", re.sub(r"`[^`]*`|\"[^\"]*\"", " ", text).lower()))


def findings(text: str) -> list[str]:
    tree = ast.parse(text)
    found = []
    for line, name in names(tree):
        if name in FOREIGN_NAMES:
            continue
        if IN_NAMES & set(parts_of(name)) or name in WHOLE_NAMES or name.lower().endswith(SUFFIXES):
            found.append(f"line {line}: the name {name}")
    for line, words in prose(text, tree):
        found += [f"line {line}: {phrase!r} in prose" for phrase in PHRASES if phrase in words.lower()]
        found += [f"line {line}: {word!r} in prose" for word in sorted(plain_words(words) & IN_PROSE)]
    return found


@pytest.mark.parametrize("path", files())
def test_names_and_prose_are_plain(path: str) -> None:
    stem = Path(path).stem
    assert stem not in FILES and not stem.endswith((*SUFFIXES, "_words"))
    assert findings((ROOT / path).read_text("utf-8")) == []


def documents() -> list[str]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


@pytest.mark.parametrize("path", documents())
def test_documents_are_plain(path: str) -> None:
    text = re.sub(r"^ *```.*?^ *```$", "", (ROOT / path).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    assert sorted(plain_words(text) & IN_PROSE) == []


def test_what_is_not_plain_is_noticed() -> None:
    assert findings('class Heard:\n    """A frame."""') == ["line 1: the name Heard"]
    assert findings("def f(was_told): pass") == ["line 1: the name was_told"]
    assert findings("car_side = 1") == ["line 1: the name car_side"]
    assert findings("# Nobody hears it.\n") == ["line 1: 'hears' in prose", "line 1: 'nobody' in prose"]
    assert findings('x = 1\n"""Tell the car."""') == ["line 2: 'tell' in prose"]
    assert findings('"""`say` and "hear" are names."""\nheading = place = 1  # ours') == []
