"""Blanks passwords, keys and tokens in text that leaves the charger: log lines, diagnostics.

What is JSON is read and judged by its values, also JSON within a string of JSON; anything else by what stands behind a
word for a secret. Where that is not clear, more is blanked rather than less.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

BLANK = "***"
HINTS = (
    "pass",
    "authorization",
    "private",
    "secret",
    "psk",
    "pin",
    "token",
    "://",
    ":\\",
    "\\u",
    "nmk",
    "tag",
    "emaid",
)
"""Without one of these, in lower case, a text has no secret; this is found much faster than what follows."""
LONGEST_LINE = 256 << 10
"""A longer line is not read as JSON."""
MOST_TRIES = 60
"""So many brackets of a line are tried as the beginning of JSON."""
DEEPEST = 6
"""JSON within strings of JSON is read so deep."""

_ENDS = ("password", "passwd", "passphrase", "secret", "psk", "privatekey", "token", "tokens", "idtag", "emaid")
_WHOLE = {"authorization", "authorizationkey", "pin", "nmk"}
_PAIRED = {"value", "attributevalue"}
"""In OCPP a value stands beside the name of what it is for (ChangeConfiguration, SetVariables, NotifyReport)."""
_NAMING = {"key", "name", "variablename"}

_NAMES = (
    r"[\w-]{0,40}(?:password|passphrase|passwd|secret|psk)|authorization[_ -]?key|private[_ -]?key|authorization|nmk"
    r"|(?<![a-z])pin|[\w-]{0,40}tokens?|[\w-]{0,40}id_?tag|emaid"
)
_SECRET = re.compile(
    # JSON that stands in JSON has its quotes behind backslashes.
    rf"""((?:{_NAMES})\\{{0,8}}["']?\s{{0,80}}[:=]\s{{0,80}})"""
    # An object; a quoted value, in which an escaped quote is no end; without quotes up to the end of line or member.
    r"""(\*{3}|\\{0,8}\{[^{}\n]*\}|'(?:[^'\n]|'')*'|(?P<quote>\\{0,8}["'])[^\n]*?(?<!\\)(?P=quote)|[^\s,}][^\n,}]*)""",
    re.IGNORECASE,
)
_OPTION = re.compile(r"(\s--?(?:password|passwd|pass|passphrase|token|secret|psk)[ =])\S+", re.IGNORECASE)
_IN_URL = re.compile(
    # JSON may write a slash with a backslash.
    r"""(\b[a-z][a-z0-9+.-]{0,20}:\\{0,8}/\\{0,8}/[^\s/:@"'<>]{0,256}:)[^\s"'<>]{1,1024}@""",
    re.IGNORECASE,
)
_KEY_BLOCK = re.compile(
    r"(-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----).*?(-----END [A-Z ]{0,20}PRIVATE KEY-----|\Z)", re.DOTALL
)
_OBJECT = re.compile(r"\bIdToken\([^()\n]*\)")
_JSON = json.JSONDecoder()


def redact(text: str) -> str:
    """Return `text` with its secrets blanked."""
    if "PRIVATE KEY-----" in text:
        text = redact_key_blocks(text)
    small = text.lower()
    if not any(hint in small for hint in HINTS):
        return text
    if "\n" in text:
        text = redact_json(text)
    return redact_words("\n".join(redact_json(line) for line in text.split("\n")))


def redact_key_blocks(text: str) -> str:
    """Blank private keys in PEM form."""
    return _KEY_BLOCK.sub(rf"\1{BLANK}\2", text)


def redact_words(text: str) -> str:
    """Blank what stands behind a word for a secret, in URLs and on command lines."""
    text = _IN_URL.sub(rf"\1{BLANK}@", text)
    text = _OBJECT.sub(f"IdToken({BLANK})", text)
    return _SECRET.sub(_blank_behind, _OPTION.sub(rf"\1{BLANK}", text))


def redact_json(text: str, depth: int = 0, on_read: Callable[[int, int], None] | None = None) -> str:
    """Blank the secrets of each JSON object or list in `text`; what has none stays letter by letter.

    `on_read` is called with the begin and end of each.
    """
    if len(text) > LONGEST_LINE or depth > DEEPEST:
        return text
    pieces: list[str] = []
    done = at = 0
    for _ in range(MOST_TRIES):
        begins = [found for found in (text.find("{", at), text.find("[", at)) if found >= 0]
        if not begins:
            break
        begin = min(begins)
        try:
            value, end = _JSON.raw_decode(text, begin)
        except (ValueError, RecursionError):
            at = begin + 1
            continue
        if on_read is not None:
            on_read(begin, end)
        changed = redact_value(value, depth)
        if changed != value:
            pieces += text[done:begin], _written(changed, text[begin:end])
            done = end
        at = end
    return "".join([*pieces, text[done:]]) if pieces else text


def redact_first_json(text: str) -> tuple[str, int] | None:
    """Return the JSON that `text` begins with, its secrets blanked, and where it ends; None when it is none."""
    begin = len(text) - len(text.lstrip())
    try:
        value, end = _JSON.raw_decode(text, begin)
    except (ValueError, RecursionError):
        return None
    changed = redact_value(value)
    return (text[:begin] + _written(changed, text[begin:end]) if changed != value else text[:end]), end


def redact_value(value: Any, depth: int = 0, *, paired: bool = False) -> Any:
    """Return a value out of JSON with its secrets blanked; `paired`: its members `value` belong to a secret's name."""
    if isinstance(value, dict):
        paired = paired or _names_secret(value)
        return {
            key: _blanked(member)
            if is_secret(key) or (paired and _plain(key) in _PAIRED)
            else redact_value(member, depth, paired=paired)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [redact_value(member, depth, paired=paired) for member in value]
    if isinstance(value, str) and ("{" in value or "://" in value or "[" in value):
        return _IN_URL.sub(rf"\1{BLANK}@", redact_json(value, depth + 1))
    return value


def is_secret(name: str) -> bool:
    """Return whether a member of this name holds a secret."""
    plain = _plain(name)
    return plain in _WHOLE or plain.endswith(_ENDS)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _names_secret(value: dict[str, Any]) -> bool:
    """Whether an object, or one in it (a variable), names a secret as what its value is for."""
    named = [member for key, member in value.items() if isinstance(member, str) and _plain(key) in _NAMING]
    for member in value.values():
        if isinstance(member, dict):
            named += [inner for key, inner in member.items() if isinstance(inner, str) and _plain(key) in _NAMING]
    return any(is_secret(name) for name in named)


def _blanked(value: Any) -> Any:
    """Blank each text and number; what only names its kind stays."""
    if isinstance(value, dict):
        return {key: member if key == "type" else _blanked(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_blanked(member) for member in value]
    return value if value is None or isinstance(value, bool) or value == "" else BLANK


def _written(value: Any, before: str) -> str:
    """Write JSON as it was written before: on lines of its own, with blanks, or without."""
    if "\n" in before:
        return json.dumps(value, ensure_ascii=False, indent=2)
    blanks = re.search(r'":\s', before) is not None
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": ") if blanks else (",", ":"))


def _blank_behind(found: re.Match[str]) -> str:
    # What the values of JSON were blanked to stays JSON.
    value = found[2]
    return found[0] if _is_blanked(value) else found[1] + BLANK


def _is_blanked(value: str) -> bool:
    """Whether a value holds nothing but blanks, kinds and empty texts."""
    bare = re.sub(r'\\*"type\\*"\s*:\s*\\*"\w*\\*"', "", value)
    bare = re.sub(r'\\*"\w+\\*"\s*:', "", bare).replace(BLANK, "")
    return re.sub(r"""[\\"'{}\[\],:\s]|null|true|false""", "", bare) == ""
