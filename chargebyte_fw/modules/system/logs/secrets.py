"""Blanks passwords and keys in what leaves the charger."""

from __future__ import annotations

import re
from collections.abc import Iterator

PIECE = 16 << 10
"""Looked through at once: a regular expression holds up every other thread of the process for as long as it works."""

_WORDS = (b"pass", b"authorization", b"private", b"secret", b"psk", b"pin", b"token", b"://")
"""Without one of these a piece has no secret; this is found much faster than what follows."""
_NAMES = rb"(?:password|passphrase|passwd|authorization_?key|private_?key|secret|psk|pin|authorization)"
_SECRET = re.compile(
    # JSON that stands in JSON has its quotes behind strokes.
    rb"(" + _NAMES + rb"""\\{0,8}["']?\s{0,80}[:=]\s{0,80})"""
    # Without quotes it may have blanks: to the end of the line, or of the member.
    rb"""(\\{0,8}"[^"\n]*"|'[^'\n]*'|[^\s,}][^\n,}]*)""",
    re.IGNORECASE,
)
_OPTION = re.compile(rb"(\s--?(?:password|passwd|pass|passphrase|token|secret|psk)[ =])\S+", re.IGNORECASE)
_IN_URL = re.compile(rb"(\b[a-z][a-z0-9+.-]{0,20}://[^\s/:@]{1,256}:)[^\s/@]{1,256}@", re.IGNORECASE)
_KEY_BLOCK = re.compile(
    rb"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----).*?(-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)", re.DOTALL
)
_OCPP_NAME = re.compile(rb"AuthorizationKey|BasicAuthPassword")
_OCPP_VALUE = re.compile(rb"""((?:attributeValue|value)\\{0,8}"\s{0,80}:\s{0,80}\\{0,8}")[^"\\]*""", re.IGNORECASE)
_NEAR = 600
"""In OCPP a password stands in a member `value` this near to the member that names it, on either side."""


def redact(text: bytes) -> bytes:
    """Blank out the values of keys that name a secret, of OCPP's too, private keys, and passwords in URLs."""
    if b"PRIVATE KEY-----" in text:
        text = _KEY_BLOCK.sub(rb"\1***\2", text)
    return b"".join(_redact_piece(piece) for piece in _pieces(_blank_near_ocpp_names(text)))


def _pieces(text: bytes) -> Iterator[bytes]:
    """Cut between lines; a line that is longer than a piece, after a comma."""
    begin = 0
    while begin < len(text):
        end = begin + PIECE
        if end < len(text):
            cut = text.rfind(b"\n", begin, end)
            cut = text.rfind(b",", begin, end) if cut < 0 else cut
            end = end if cut < 0 else cut + 1
        yield text[begin:end]
        begin = end


def _redact_piece(text: bytes) -> bytes:
    small = text.lower()
    if not any(word in small for word in _WORDS):
        return text
    return _IN_URL.sub(rb"\1***@", _OPTION.sub(rb"\1***", _SECRET.sub(rb"\1***", text)))


def _blank_near_ocpp_names(text: bytes) -> bytes:
    """Blank what ChangeConfiguration or SetVariables set: {"key": "AuthorizationKey", "value": "..."}."""
    pieces: list[bytes] = []
    done = 0
    for found in _OCPP_NAME.finditer(text):
        begin, end = max(found.start() - _NEAR, done), max(found.end() + _NEAR, done)
        pieces += text[done:begin], _OCPP_VALUE.sub(rb"\1***", text[begin:end])
        done = min(end, len(text))
    return b"".join([*pieces, text[done:]])
