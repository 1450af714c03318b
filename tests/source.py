"""What the rules of style and structure look at in a Python file, read once for every test: no tree is kept."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Call(NamedTuple):
    """A call: `yaml.safe_load(...)` is `yaml`, `safe_load`; `open(...)` has no owner; `a.b.c()` has the owner None."""

    line: int
    owner: str | None
    name: str


class Source(NamedTuple):
    """The facts of one file, each with its line where a finding needs it."""

    docstring: str
    imports: tuple[tuple[int, str, tuple[str, ...]], ...]
    """Level, module and names of each import, also inside functions; no module for `import a, b`."""
    calls: tuple[Call, ...]
    names: tuple[tuple[int, str], ...]
    """Each name that the file itself gives: functions, classes, arguments, variables, attributes."""
    prose: tuple[tuple[int, str], ...]
    """Each comment and docstring; also the strings below fields and constants."""
    members: frozenset[str]
    """Names of states and values that the file declares: members of an Enum."""


@cache
def source(path: str) -> Source:
    """Return the facts of a file, by its path below the root of the repository."""
    return parsed((ROOT / path).read_text("utf-8"))


def parsed(text: str) -> Source:
    """Return the facts of a text."""
    tree = ast.parse(text)
    imports: list[tuple[int, str, tuple[str, ...]]] = []
    calls: list[Call] = []
    names: list[tuple[int, str]] = []
    prose = list(_comments(text))
    members: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                imports.append((0, "", tuple(alias.name for alias in node.names)))
            case ast.ImportFrom():
                imports.append((node.level, node.module or "", tuple(alias.name for alias in node.names)))
            case ast.Call(func=ast.Name(id=name)):
                calls.append(Call(node.lineno, "", name))
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                calls.append(Call(node.lineno, owner.id if isinstance(owner, ast.Name) else None, name))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                names.append((node.lineno, node.name))
            case ast.ClassDef():
                names.append((node.lineno, node.name))
                if any("Enum" in ast.unparse(base) for base in node.bases):
                    members |= {t.id for n in node.body if isinstance(n, ast.Assign) for t in _names(n.targets)}
            case ast.arg():
                names.append((node.lineno, node.arg))
            case ast.Name(ctx=ast.Store()):
                names.append((node.lineno, node.id))
            case ast.Attribute(ctx=ast.Store()):
                names.append((node.lineno, node.attr))
            case ast.Expr(value=ast.Constant(value=str(words))):
                prose.append((node.lineno, words))
    docstring = ast.get_docstring(tree) or ""
    return Source(docstring, tuple(imports), tuple(calls), tuple(names), tuple(prose), frozenset(members))


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _names(targets: list[ast.expr]) -> list[ast.Name]:
    return [target for target in targets if isinstance(target, ast.Name)]
