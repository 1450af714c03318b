"""Mutants of a source file: each is one small change of its text, found by its syntax tree."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

SPOKEN = frozenset(
    ("log", "info", "warn", "warning", "error", "debug", "exception", "critical", "Note", "Report", "Said", "complain")
)
"""Calls whose text is for people: their arguments are no behaviour that a test asserts."""
NO_MUTANTS_IN = frozenset(("Meta", "Finding", "ConfigIssue", "TypeVar", "NewType", "Literal", "cast"))
COMPARISONS: dict[type[ast.cmpop], tuple[str, ...]] = {
    ast.Lt: ("<=", ">"),
    ast.LtE: ("<", ">"),
    ast.Gt: (">=", "<"),
    ast.GtE: (">", "<"),
    ast.Eq: ("!=",),
    ast.NotEq: ("==",),
    ast.Is: ("is not",),
    ast.IsNot: ("is",),
    ast.In: ("not in",),
    ast.NotIn: ("in",),
}
TEXTS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
}
ARITHMETIC: dict[type[ast.operator], str] = {
    ast.Add: "-",
    ast.Sub: "+",
    ast.Mult: "/",
    ast.Div: "*",
    ast.FloorDiv: "*",
    ast.Mod: "*",
    ast.BitAnd: "|",
    ast.BitOr: "&",
    ast.LShift: ">>",
    ast.RShift: "<<",
}
SWAPPED_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """One change. `name` identifies it as long as the function keeps what is changed."""

    path: str
    function: str
    change: str
    start: int
    end: int
    text: str
    line: int
    number: int = 1
    """Which of the equal changes within the function."""

    @property
    def name(self) -> str:
        """Path, function and change."""
        count = f" #{self.number}" if self.number > 1 else ""
        return f"{self.path}::{self.function}: {self.change}{count}"

    def apply(self, source: str) -> str:
        """Return the source with the change."""
        data = source.encode()
        return (data[: self.start] + self.text.encode() + data[self.end :]).decode()


def mutants(path: str, source: str) -> list[Mutant]:
    """Return every mutant of a file, in the order of its text."""
    found = sorted(_Finder(path, source).run(), key=lambda one: (one.start, one.end, one.text))
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for one in found:
        seen[one.function, one.change] += 1
        numbered.append(replace(one, number=seen[one.function, one.change]))
    return numbered


class _Finder:
    def __init__(self, path: str, source: str) -> None:
        self._path = path
        self._data = source.encode()
        self._lines = [0]
        for line in source.split("\n"):
            self._lines.append(self._lines[-1] + len(line.encode()) + 1)
        self._tree = ast.parse(source)
        self._scope: list[str] = []

    def run(self) -> Iterator[Mutant]:
        """Walk the file."""
        yield from self._body(self._tree.body, in_function=False)

    def _offset(self, line: int, column: int) -> int:
        return self._lines[line - 1] + column

    def _span(self, node: ast.AST) -> tuple[int, int]:
        line, column = node.lineno, node.col_offset  # type: ignore[attr-defined]
        end_line, end_column = node.end_lineno, node.end_col_offset  # type: ignore[attr-defined]
        return self._offset(line, column), self._offset(end_line, end_column)

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self._data[start:end].decode()

    def _mutant(self, node: ast.AST, text: str, change: str = "", span: tuple[int, int] | None = None) -> Mutant:
        start, end = span or self._span(node)
        old = " ".join(self._data[start:end].decode().split())
        what = change or f"{_short(old)} -> {_short(text)}"
        return Mutant(self._path, ".".join(self._scope) or "<module>", what, start, end, text, node.lineno)  # type: ignore[attr-defined]

    # -- statements

    def _body(self, body: list[ast.stmt], *, in_function: bool) -> Iterator[Mutant]:
        for statement in body:
            yield from self._statement(statement, in_function=in_function)

    def _statement(self, node: ast.stmt, *, in_function: bool) -> Iterator[Mutant]:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._scope.append(node.name)
                yield from self._body(node.body, in_function=not isinstance(node, ast.ClassDef))
                self._scope.pop()
            case ast.Import() | ast.ImportFrom() | ast.Assert() | ast.Raise() | ast.Pass() | ast.Global():
                return
            case ast.Expr(value=ast.Constant()):
                return
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                return
            case ast.Expr(value=ast.Call() as call):
                if _spoken(call):
                    return
                if in_function:
                    yield self._mutant(node, "pass", f"drop {_short(self._text(node))}")
                yield from self._expression(call)
            case ast.Expr(value=ast.Await() as awaited) if in_function:
                yield self._mutant(node, "pass", f"drop {_short(self._text(node))}")
                yield from self._expression(awaited.value)
            case ast.Assign() | ast.AnnAssign() | ast.AugAssign():
                yield from self._assignment(node, in_function=in_function)
            case ast.If() | ast.While():
                yield from self._condition(node.test)
                yield from self._body(node.body, in_function=in_function)
                yield from self._body(node.orelse, in_function=in_function)
            case ast.Return(value=value) if value is not None and not _is_none(value):
                if not isinstance(value, ast.Constant) and not _is_empty(value):
                    yield self._mutant(value, "None", f"return {_short(self._text(value))} -> None")
                yield from self._expression(value)
            case ast.Break() | ast.Continue():
                other = "continue" if isinstance(node, ast.Break) else "break"
                yield self._mutant(node, other)
            case ast.Delete() if in_function:
                yield self._mutant(node, "pass", f"drop {_short(self._text(node))}")
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.stmt):
                        yield from self._statement(child, in_function=in_function)
                    elif isinstance(child, ast.expr):
                        yield from self._expression(child)
                    elif isinstance(child, ast.ExceptHandler | ast.match_case):
                        if isinstance(child, ast.match_case) and child.guard is not None:
                            yield from self._condition(child.guard)
                        yield from self._body(child.body, in_function=in_function)

    def _assignment(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, *, in_function: bool) -> Iterator[Mutant]:
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if in_function and isinstance(target, ast.Attribute | ast.Subscript) and node.value is not None:
            yield self._mutant(node, "pass", f"drop {_short(self._text(node))}")
        if isinstance(node, ast.AugAssign) and type(node.op) in (ast.Add, ast.Sub):
            text = self._text(node)
            swapped = text.replace("+=", "-=", 1) if isinstance(node.op, ast.Add) else text.replace("-=", "+=", 1)
            if "[" not in self._text(node.value):
                yield self._mutant(node, swapped)
        if node.value is not None:
            yield from self._expression(node.value)

    def _condition(self, test: ast.expr) -> Iterator[Mutant]:
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            yield self._mutant(test, self._text(test.operand))
            yield from self._expression(test.operand)
        elif isinstance(test, ast.Compare):
            yield from self._expression(test)
        else:
            if not isinstance(test, ast.BoolOp):
                yield self._mutant(test, f"not ({self._text(test)})")
            yield from self._expression(test)

    # -- expressions

    def _expression(self, node: ast.expr) -> Iterator[Mutant]:
        match node:
            case ast.Call() if _spoken(node) or _name(node.func) in NO_MUTANTS_IN:
                return
            case ast.Call(func=ast.Name(id=name)) if name in SWAPPED_CALLS:
                yield self._mutant(
                    node.func, SWAPPED_CALLS[name], f"{name} -> {SWAPPED_CALLS[name]} in {_short(self._text(node))}"
                )
            case ast.Compare():
                yield from self._comparison(node)
            case ast.BoolOp():
                yield from self._boolean(node)
            case ast.BinOp() if type(node.op) in ARITHMETIC and not _is_text(node.left) and not _is_text(node.right):
                span = self._span(node.left)[1], self._span(node.right)[0]
                old = self._data[span[0] : span[1]].decode()
                new = ARITHMETIC[type(node.op)]
                if (
                    not any(mark in old for mark in "()#\n")
                    and not _is_sequence(node.left)
                    and not _is_sequence(node.right)
                ):
                    what = f"{_short(self._text(node))}: {old.strip()} -> {new}"
                    yield self._mutant(node, f" {new} ", what, span)
            case ast.UnaryOp(op=ast.Not()):
                yield self._mutant(node, f"bool({self._text(node.operand)})")
            case ast.IfExp():
                yield from self._condition(node.test)
                yield from self._expression(node.body)
                yield from self._expression(node.orelse)
                return
            case ast.Constant(value=bool()):
                yield self._mutant(node, str(not node.value))
            case ast.Constant(value=int() | float() as number):
                yield self._mutant(node, _other_number(number))
            case ast.JoinedStr() | ast.Lambda():
                if isinstance(node, ast.Lambda):
                    yield from self._expression(node.body)
                return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                yield from self._expression(child)
            elif isinstance(child, ast.keyword):
                yield from self._expression(child.value)
            elif isinstance(child, ast.comprehension):
                for test in child.ifs:
                    yield from self._condition(test)
                yield from self._expression(child.iter)

    def _comparison(self, node: ast.Compare) -> Iterator[Mutant]:
        left: ast.expr = node.left
        for op, right in zip(node.ops, node.comparators, strict=True):
            span = self._span(left)[1], self._span(right)[0]
            between = self._data[span[0] : span[1]].decode()
            old = TEXTS[type(op)]
            for new in COMPARISONS[type(op)]:
                changed = between.replace(old, new, 1)
                if changed != between and "#" not in between:
                    yield self._mutant(node, changed, f"{_short(self._text(node))}: {old} -> {new}", span)
            left = right

    def _boolean(self, node: ast.BoolOp) -> Iterator[Mutant]:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:]):
            span = self._span(left)[1], self._span(right)[0]
            between = self._data[span[0] : span[1]].decode()
            if "#" in between or f"{old} " not in between:
                continue
            yield self._mutant(node, between.replace(old, new, 1), f"{_short(self._text(node))}: {old} -> {new}", span)


def _spoken(call: ast.Call) -> bool:
    name = _name(call.func)
    if name in SPOKEN or name.startswith(("_complain", "_say", "_warn")):
        return True
    inner = [one for one in call.args if isinstance(one, ast.Call)]
    return name == "say" and len(call.args) == len(inner) == 1 and _spoken(inner[0])


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_empty(node: ast.expr) -> bool:
    """Whether a machine's handler says that there is nothing to do: None means the same to the pump."""
    return isinstance(node, ast.List | ast.Tuple) and not node.elts


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))


def _is_sequence(node: ast.expr) -> bool:
    return isinstance(node, ast.List | ast.Tuple | ast.ListComp | ast.Dict | ast.Set)


def _other_number(value: int | float) -> str:
    if isinstance(value, int):
        return str(value + 1)
    return str(value * 2 if value else 1.0)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else f"{text[:45]}...{text[-12:]}"
