"""Errors of the YAML parser in plain words: where the error is in the file, and what to write there."""

from __future__ import annotations

import re

import msgspec
import yaml

from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.yaml_text import NotYaml, YamlError, normalized, tokens

_CONFLICT = re.compile(r"(<{7}|={7}|>{7})( |$)")
_MAPPING = re.compile(r"(\s*)(?:- +)*([\w.-]+):(?:\s+(.*))?$")
_JOINED = re.compile(r"\s*(?:- +)*([\w.-]+):(\S.*)$")
_DASHED = re.compile(r"\s*-([\w.]+:.*)$")
_ODD_SPACE = re.compile("[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]")


class SyntaxProblem(msgspec.Struct, frozen=True):
    """One syntax error; line and column count from 1."""

    line: int
    column: int
    what: str
    hint: str = ""


def explain(found: NotYaml, text: str) -> SyntaxProblem:
    """Return what an error of the reader means in `text`."""
    error = found.cause
    if not isinstance(error, yaml.MarkedYAMLError):
        what, hint = "a character that YAML does not allow", "is this a text file?"
        return SyntaxProblem(found.line or 1, found.column or 1, what, hint)
    lines = text_lines(normalized(text))
    for number, written in enumerate(lines, 1):
        if _CONFLICT.match(written):
            return SyntaxProblem(number, 1, "a merge conflict was left here", "keep one side, delete the marked lines")
    problem = error.problem or "unreadable"
    line, column = _at(error.problem_mark or error.context_mark)
    here = lines[line - 1] if line <= len(lines) else ""
    begun = _at(error.context_mark) if error.context_mark is not None else (line, column)
    problem_found = _open(error, problem, begun, text) or _spaces(lines, line)
    if problem_found is not None:
        return problem_found
    if "cannot start any token" in problem or "scanning an a" in (error.context or ""):
        return (
            _first_character(here, *begun) if error.context_mark is not None else _first_character(here, line, column)
        )
    if "could not find expected ':'" in problem:
        return SyntaxProblem(*begun, "this line has no ': '", "write it as key: value")
    if "mapping values are not allowed" in problem:
        return _second_value(lines, line, column)
    if "expected <block end>" in problem:
        return _out_of_line(lines, problem, line, column, begun)
    if "or '}'" in problem or "or ']'" in problem:
        return SyntaxProblem(
            line, column, "a comma or a closing bracket is missing before this", "look at the line above, too"
        )
    context = f" ({error.context})" if error.context else ""
    return SyntaxProblem(line, column, f"this is not YAML: {problem}{context}")


def _at(mark: yaml.Mark | None) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _open(error: yaml.MarkedYAMLError, problem: str, begun: tuple[int, int], text: str) -> SyntaxProblem | None:
    """Show what is not closed where it was opened, not at the end of the file."""
    if "quoted scalar" in (error.context or ""):
        if "escape" in problem:
            return SyntaxProblem(
                *_at(error.problem_mark), "a backslash in double quotes means something else", "use '...'"
            )
        return SyntaxProblem(*begun, "the quote that opens here is not closed", "close it at the end of the text")
    if "stream end" not in problem:
        return None
    opened = []
    try:
        for token in tokens(text):
            if isinstance(token, yaml.FlowMappingStartToken | yaml.FlowSequenceStartToken):
                opened.append(_at(token.start_mark))
            elif isinstance(token, yaml.FlowMappingEndToken | yaml.FlowSequenceEndToken) and opened:
                opened.pop()
    except YamlError:
        return None
    return SyntaxProblem(*opened[-1], "the bracket that opens here is not closed") if opened else None


def _spaces(lines: list[str], line: int) -> SyntaxProblem | None:
    """Find missing or unusual spaces and tabs in the line of the error, or in the one above."""
    for number in (line - 1, line):
        if not 1 <= number <= len(lines):
            continue
        written = lines[number - 1]
        indent = written[: _indent(written)]
        if "\t" in indent:
            return SyntaxProblem(number, indent.index("\t") + 1, "a tab cannot indent", "use spaces, two a level")
        odd = _ODD_SPACE.search(written)
        if odd is not None:
            return SyntaxProblem(
                number, odd.start() + 1, "a space that is none for YAML", "type it again as a plain space"
            )
        dashed = _DASHED.match(written)
        if dashed is not None:
            return SyntaxProblem(number, dashed.start(1), "no space after the '-'", f"write - {dashed[1].rstrip()}")
        joined = _JOINED.match(written)
        if joined is not None and not _MAPPING.match(written) and not joined[2].startswith("//"):
            return SyntaxProblem(
                number, joined.start(2), "no space after the ':'", f"write {joined[1]}: {joined[2].rstrip()}"
            )
    return None


def _first_character(here: str, line: int, column: int) -> SyntaxProblem:
    first = here[column - 1 : column]
    if first == "\t":
        return SyntaxProblem(line, column, "a tab stands here", "write a space instead")
    rest = here[column - 1 :].rstrip()
    return SyntaxProblem(line, column, f"text cannot begin with {first} unless it is in quotes", f'write "{rest}"')


def _second_value(lines: list[str], line: int, column: int) -> SyntaxProblem:
    """Explain a ': ' where the value before it has not ended: indented too far, or two in one line."""
    here = lines[line - 1]
    this = _MAPPING.match(here)
    above = next((number for number in range(line - 1, 0, -1) if lines[number - 1].strip()), 0)
    before = _MAPPING.match(lines[above - 1]) if above else None
    if this is not None and ": " not in (this[3] or ""):
        indent = _indent(here)
        if before is None and above:
            return SyntaxProblem(above, 1, "this line has no ':'", "write it as key: value")
        if before is not None and before[3] and indent > len(before[1]):
            what = f"indented below {before[2]}, which has a value already"
            return SyntaxProblem(line, indent + 1, what, f"indent it like line {above}")
    value = here.split(": ", 1)[-1].strip()
    return SyntaxProblem(line, column, "a second ': ' in one line", f'if it belongs to the text, write "{value}"')


def _out_of_line(lines: list[str], problem: str, line: int, column: int, begun: tuple[int, int]) -> SyntaxProblem:
    """Explain what stands where the map or list that began at `begun` must go on or end."""
    indent = _indent(lines[line - 1])
    if column - 1 > indent:
        return SyntaxProblem(line, column, "this comes after the end of the value", "put the whole value in quotes")
    if indent == begun[1] - 1:
        what = "a list item among keys" if "'-'" in problem else "a key among list items"
        return SyntaxProblem(
            line, column, f"{what} (they begin in line {begun[0]})", "indent it below what it belongs to"
        )
    fitting: dict[int, int] = {}
    for number in range(line - 1, 0, -1):
        written = lines[number - 1]
        if written.strip() and not written.lstrip().startswith("#") and _indent(written) < min(fitting, default=1000):
            fitting[_indent(written)] = number
    deeper = min((have for have in fitting if have > indent), default=None)
    flatter = max((have for have in fitting if have < indent), default=None)
    words = [f"by {have} like line {fitting[have]}" for have in (deeper, flatter) if have is not None]
    return SyntaxProblem(line, column, f"indented by {indent}, as no line above it", f"indent it {' or '.join(words)}")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())
