"""Blanks passwords, keys and tokens in files and outputs of any size (`kernel/redaction.py`), a piece at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chargebyte_fw.kernel.redaction import HINTS, redact_first_json, redact_json, redact_key_blocks, redact_words

PIECE = 16 << 10
"""Looked through at once: a regular expression holds up every other thread of the process for as long as it works."""
MOST_BLOCKS, LINES_OF_BLOCK = 100, 20_000
"""So many times a file is tried as JSON that begins on a line of its own, and so many lines it may have."""

_OCPP_NAME = re.compile(r"AuthorizationKey|BasicAuthPassword")
_OCPP_VALUE = re.compile(
    r"""((?:attributeValue|value)\\{0,8}"\s{0,80}:\s{0,80}(\\{0,8}"))[^\n]*?(?<!\\)(?=\2)""", re.IGNORECASE
)
_NEAR = 600
"""In OCPP a password stands in a member `value` this near to the member that names it, on either side."""


def redact(data: bytes) -> bytes:
    """Blank out the values of keys that name a secret, of OCPP's too, private keys, and passwords in URLs."""
    text = data.decode("utf-8", "surrogateescape")
    if "PRIVATE KEY-----" in text:
        text = redact_key_blocks(text)
    text = "".join(_redact_piece(piece) for piece in _pieces(_redact_lines(text)))
    return text.encode("utf-8", "surrogateescape")


def _redact_lines(text: str) -> str:
    """Read what may hold a secret as JSON, on one line or on lines of its own; the rest by the names of OCPP."""
    lines = text.split("\n")
    done: list[str] = []
    unread: list[str] = []
    number, blocks = 0, 0
    while number < len(lines):
        line = lines[number]
        if line.strip() in ("{", "[") and blocks < MOST_BLOCKS:
            blocks += 1
            block = "\n".join(lines[number : number + LINES_OF_BLOCK])
            found = redact_first_json(block)
            if found is not None and not block[found[1] :].partition("\n")[0].strip():
                done += [*_by_names(unread), found[0]]
                unread, number = [], number + block.count("\n", 0, found[1]) + 1
                continue
        redacted, read = _redact_line(line)
        if read:
            done += [*_by_names(unread), redacted]
            unread = []
        else:
            unread.append(redacted)
        number += 1
    return "\n".join([*done, *_by_names(unread)])


def _redact_line(line: str) -> tuple[str, bool]:
    """Return the line with the secrets of its JSON blanked, and whether most of it was JSON."""
    read = 0

    def on_read(begin: int, end: int) -> None:
        nonlocal read
        read = max(read, end - begin)

    if not ("{" in line or "[" in line) or not _is_suspicious(line):
        return line, False
    redacted = redact_json(line, on_read=on_read)
    return redacted, read * 2 > len(line)


def _by_names(lines: list[str]) -> list[str]:
    return [_blank_near_ocpp_names("\n".join(lines))] if lines else []


def _is_suspicious(text: str) -> bool:
    small = text.lower()
    return any(word in small for word in HINTS)


def _pieces(text: str) -> Iterator[str]:
    """Cut between lines; a line that is longer than a piece, after a comma."""
    begin = 0
    while begin < len(text):
        end = begin + PIECE
        if end < len(text):
            cut = text.rfind("\n", begin, end)
            cut = text.rfind(",", begin, end) if cut < 0 else cut
            end = end if cut < 0 else cut + 1
        yield text[begin:end]
        begin = end


def _redact_piece(text: str) -> str:
    return redact_words(text) if _is_suspicious(text) else text


def _blank_near_ocpp_names(text: str) -> str:
    """Blank what ChangeConfiguration or SetVariables set, where it is not read as JSON."""
    pieces: list[str] = []
    done = 0
    for found in _OCPP_NAME.finditer(text):
        begin, end = max(found.start() - _NEAR, done), max(found.end() + _NEAR, done)
        pieces += text[done:begin], _OCPP_VALUE.sub(r"\1***", text[begin:end])
        done = min(end, len(text))
    return "".join([*pieces, text[done:]])
