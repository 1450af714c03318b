"""Lines of text as files and wires have them: cut at LF and CRLF, at nothing else.

`str.splitlines` also cuts at VT, FF, FS, GS, RS, NEL, LS, PS and a lone CR. An editor shows such a line as one, so
that a second token, key or column would stand in a file where no person sees it. For YAML see `kernel/yaml_text.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import overload


@overload
def text_lines(text: str, *, keep_ends: bool = False) -> list[str]: ...
@overload
def text_lines(text: bytes, *, keep_ends: bool = False) -> list[bytes]: ...
def text_lines(text: str | bytes, *, keep_ends: bool = False) -> list[str] | list[bytes]:
    """Return the lines of `text`, without their ends (LF or CRLF) unless `keep_ends`.

    As with `str.splitlines` an end of line at the very end begins no further line, and an empty text has none. Read
    files with `read_text_as_is`: text mode makes a line feed of a lone CR.
    """
    if isinstance(text, bytes):
        # One character a byte: what is cut is the same.
        return [line.encode("latin-1") for line in text_lines(text.decode("latin-1"), keep_ends=keep_ends)]
    *lines, last = text.split("\n")
    lines = [line + "\n" if keep_ends else line.removesuffix("\r") for line in lines]
    return [*lines, last] if last else lines


def read_text_as_is(path: Path, errors: str = "strict") -> str:
    """Return the content of a UTF-8 file with every CR where it is; raises OSError, UnicodeDecodeError."""
    return path.read_bytes().decode("utf-8", errors)
