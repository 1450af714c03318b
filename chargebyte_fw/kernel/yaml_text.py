"""YAML text with positions: as events, as nodes or as plain values, and one error with the place of what is wrong.

PyYAML reads YAML 1.1, which cuts lines at NEL, LS, PS and a lone CR (§4.2), too. Here lines end where editors show it:
at LF and CRLF (`kernel/text.py`). Nothing else of the product calls PyYAML's readers (tests/test_house.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import yaml

from chargebyte_fw.kernel.text import text_lines

_BREAKS = {ord(one): " " for one in "\x85\u2028\u2029"}
_TYPED = yaml.SafeLoader
_QUICK = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml where PyYAML was built with it."""


class Place(msgspec.Struct, frozen=True):
    """Where something stands; line and column count from 1."""

    file: str
    line: int = 1
    column: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class YamlError(ValueError):
    """Text that cannot be read; `problem` is the reason, one line. Line and column count from 1; None: not known."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column

    def where(self, file: str) -> str:
        """Return `file:line:column`, or the file alone when the place is not known."""
        return file if self.line is None else f"{file}:{self.line}:{self.column}"


class NotUtf8(YamlError):
    """Bytes that are no UTF-8 text; `offset` is the first that is wrong, from 0."""

    def __init__(self, data: bytes, offset: int) -> None:
        line = data.count(b"\n", 0, offset) + 1
        column = offset - data.rfind(b"\n", 0, offset)
        super().__init__(f"not UTF-8 text (byte {offset})", line, column)
        self.offset = offset


class NotYaml(YamlError):
    """Text that is not YAML; `cause` is PyYAML's error."""

    def __init__(self, cause: yaml.YAMLError, text: str) -> None:
        line, column = _position_of(cause, text)
        super().__init__(getattr(cause, "problem", None) or text_lines(str(cause))[0], line, column)
        self.cause = cause


class TooDeep(YamlError):
    """Text that is nested deeper than the reader can follow."""

    def __init__(self) -> None:
        super().__init__("nested too deeply")


def decode(data: bytes) -> str:
    """Return UTF-8 bytes as text, without a byte order mark; raises NotUtf8."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotUtf8(data, error.start) from None


def events(text: str, *, quick: bool = False) -> Iterator[yaml.Event]:
    """Yield the events of YAML text one by one, so that neither depth nor aliases cost anything.

    `quick` reads with libyaml where it is there: several times faster, every scalar is text. Raises NotYaml, TooDeep.
    """
    try:
        yield from yaml.parse(normalized(text), Loader=_QUICK if quick else _TYPED)
    except yaml.YAMLError as error:
        raise NotYaml(error, text) from error
    except RecursionError:
        raise TooDeep from None


def tokens(text: str) -> Iterator[yaml.Token]:
    """Yield the tokens of YAML text up to the first error; raises NotYaml."""
    try:
        yield from yaml.scan(normalized(text), Loader=_TYPED)
    except yaml.YAMLError as error:
        raise NotYaml(error, text) from error


def compose(text: str) -> yaml.Node | None:
    """Return the node of the one document in `text`, None when it is empty; raises NotYaml, TooDeep."""
    try:
        return yaml.compose(normalized(text), Loader=_TYPED)
    except yaml.YAMLError as error:
        raise NotYaml(error, text) from error
    except RecursionError:
        raise TooDeep from None


def load(text: str) -> Any:
    """Return the value of the one document in `text` (YAML 1.1 types); raises NotYaml, TooDeep.

    What YAML's types make of it may be no JSON, and aliases may multiply: `decode_yaml` of `kernel/decoding.py` is for
    text from outside.
    """
    try:
        return yaml.load(normalized(text), Loader=_TYPED)
    except yaml.YAMLError as error:
        raise NotYaml(error, text) from error
    except RecursionError:
        raise TooDeep from None


def place_of(read: yaml.Node | yaml.Event, file: str) -> Place:
    """Return where a node or an event begins; the first line when the reader has no mark."""
    mark: Any = read.start_mark
    return Place(file) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def normalized(text: str) -> str:
    """Return `text` so that YAML 1.1 cuts it at LF and CRLF only; every character keeps its place.

    NEL, LS, PS and a lone CR become blanks. VT, FF and other control characters are no YAML; the reader refuses them.
    """
    text = text.translate(_BREAKS)
    if "\r" in text:
        text = "\r\n".join(part.replace("\r", " ") for part in text.split("\r\n"))
    return text


def _position_of(error: yaml.YAMLError, text: str) -> tuple[int | None, int | None]:
    if isinstance(error, yaml.reader.ReaderError):
        # libyaml counts octets of UTF-8, PyYAML characters.
        quick = error.encoding == "?"
        before = text.encode()[: error.position].decode(errors="ignore") if quick else text[: error.position]
        return before.count("\n") + 1, len(before) - before.rfind("\n")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return (None, None) if mark is None else (mark.line + 1, mark.column + 1)
