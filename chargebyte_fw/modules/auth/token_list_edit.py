"""Changes to a list of tokens that leave the rest of the file, comments too, as it is; saved atomically."""

from __future__ import annotations

import csv
import fcntl
import io
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.text import text_lines
from chargebyte_fw.kernel.yaml_text import compose
from chargebyte_fw.modules.auth.token_csv import layout
from chargebyte_fw.modules.auth.token_list import FIELDS, Entry, is_csv, parse

EMPTY_YAML = "# Tokens that may charge here; fields: id, type, name, expires, parent, connectors, blocked.\ntokens:\n"
BOM = b"\xef\xbb\xbf"
EMPTY_CSV = ",".join(FIELDS) + "\n"


def add(text: str, name: str, entry: Entry) -> str:
    """Return the text with one more entry; raises ConfigError when the file is broken, ValueError when it is listed."""
    listed = parse(text, name)
    if entry.key in listed:
        raise ValueError(f"{entry.id} is listed already, in line {listed[entry.key].line}")
    changed = _add_csv(text, name, entry) if is_csv(name) else _add_yaml(text, name, entry)
    return _checked(changed, name, listed | {entry.key: entry})


def remove(text: str, name: str, token: str) -> str:
    """Return the text without an entry; raises ConfigError for a broken file, ValueError for a token not listed."""
    listed = parse(text, name)
    entry = listed.get(token.casefold())
    if entry is None:
        raise ValueError(f"{token} is not listed")
    lines = text_lines(text, keep_ends=True)
    first, last = entry.line, entry.last_line
    if not is_csv(name):
        node = tokens_node(text)
        assert node is not None
        if node.flow_style:
            return _remove_in_brackets(text, name, node, listed, entry)
        item = next(one for one in node.value if one.start_mark.line + 1 == entry.line)
        end = item.end_mark
        # A map's end mark is where the next token stands; comments and empty lines before that are not its own.
        last = end.line + 1 if isinstance(item, yaml.ScalarNode) or item.flow_style else end.line
        while last > first and (not lines[last - 1].strip() or lines[last - 1].lstrip().startswith("#")):
            last -= 1
    changed = "".join(lines[: first - 1] + lines[last:])
    return _checked(changed, name, {key: one for key, one in listed.items() if one is not entry})


def _checked(text: str, name: str, wanted: dict[str, Entry]) -> str:
    """Return the changed text if it reads as intended; raises ConfigError otherwise."""
    found = {key: _bare(entry) for key, entry in parse(text, name).items()}
    if found != {key: _bare(entry) for key, entry in wanted.items()}:
        what = "written too unusually to be changed by a program: please use an editor"
        raise ConfigError([Finding(name, what, number="C408")])
    return text


def _bare(entry: Entry) -> tuple[object, ...]:
    return tuple(getattr(entry, field) for field in FIELDS)


def _values(entry: Entry) -> dict[str, str]:
    at = entry.expires
    values = {
        "id": entry.id,
        "type": entry.type,
        "name": entry.name,
        "expires": "" if at is None else at.isoformat().replace("+00:00", "Z"),
        "parent": entry.parent,
        "connectors": " ".join(map(str, entry.connectors)),
        "blocked": "true" if entry.blocked else "",
    }
    return {key: value for key, value in values.items() if value}


def _add_csv(text: str, name: str, entry: Entry) -> str:
    text = text if text.strip() else EMPTY_CSV
    values = _values(entry)
    head = layout(text, name)
    if not any(head.columns):
        # Nothing but comments.
        return _add_csv(_with_newline(text) + head.delimiter.join(FIELDS) + "\n", name, entry)
    missing = [key for key in values if key not in head.columns]
    if missing:
        hint = "add it to the head of the file"
        raise ConfigError([Finding(name, f"there is no column {missing[0]}", hint, number="C405")])
    # A spreadsheet ends rows with CRLF and lines within a cell with LF.
    ending = "\r\n" if text_lines(text, keep_ends=True)[head.line - 1].endswith("\r\n") else "\n"
    row = io.StringIO()
    csv.writer(row, delimiter=head.delimiter, lineterminator=ending).writerow(
        [values.get(column, "") for column in head.columns]
    )
    return _with_newline(text) + row.getvalue()


def _add_yaml(text: str, name: str, entry: Entry) -> str:
    node = tokens_node(text)
    if node is None:
        # The word `tokens:` with nothing below it, or nothing but comments.
        return (_with_newline(text) if _has_word(text) else _with_newline(text) + EMPTY_YAML) + _item(entry, "  ")
    if node.flow_style:
        return _add_in_brackets(text, name, node, entry)
    lines = text_lines(_with_newline(text), keep_ends=True)
    at = node.value[-1].end_mark
    after = (
        at.line + 1 if at.column and at.line < len(lines) and isinstance(node.value[-1], yaml.ScalarNode) else at.line
    )
    if getattr(node.value[-1], "flow_style", False):
        after = at.line + 1
    while after > 0 and not lines[after - 1].strip():
        after -= 1
    return "".join([*lines[:after], _item(entry, " " * node.start_mark.column), *lines[after:]])


def tokens_node(text: str) -> yaml.SequenceNode | None:
    """Return the node of the list `tokens` of a text without errors, None when it is empty."""
    root = compose(text)
    found = root.value[0][1] if isinstance(root, yaml.MappingNode) else None
    return found if isinstance(found, yaml.SequenceNode) else None


def _has_word(text: str) -> bool:
    """Whether the key `tokens` is there."""
    return isinstance(compose(text), yaml.MappingNode)


def _add_in_brackets(text: str, name: str, node: yaml.SequenceNode, entry: Entry) -> str:
    entries = parse(text, name)
    if not node.value:
        return _as_block(text, node, [entry])
    # In front: behind the last one stands its comment.
    begin, first = node.start_mark.index + 1, node.value[0].start_mark
    own_line = first.line > node.start_mark.line
    item = f"\n{' ' * first.column}{_in_braces(entry)}," if own_line else f"{_in_braces(entry)}, "
    try:
        return _checked(text[:begin] + item + text[begin:], name, entries | {entry.key: entry})
    except ConfigError:
        return _as_block(text, node, [*entries.values(), entry])


def _remove_in_brackets(text: str, name: str, node: yaml.SequenceNode, listed: dict[str, Entry], entry: Entry) -> str:
    wanted = {key: one for key, one in listed.items() if one is not entry}
    at = list(listed.values()).index(entry)
    begin, end = node.value[at].start_mark.index, node.value[at].end_mark.index
    if at + 1 < len(node.value):
        end = node.value[at + 1].start_mark.index
    elif at > 0 and "#" not in text[node.value[at - 1].end_mark.index : begin]:
        begin = node.value[at - 1].end_mark.index
    else:
        # The comma before it stays with its comment; two in a row are none.
        end += len(text[end:]) - len(text[end:].lstrip(" \t").removeprefix(","))
    try:
        return _checked(text[:begin] + text[end:], name, wanted)
    except ConfigError:
        return _checked(_as_block(text, node, list(wanted.values())), name, wanted)


def _in_braces(entry: Entry) -> str:
    values = {key: _quoted(value, style='"') for key, value in _values(entry).items()}
    return (
        values["id"] if len(values) == 1 else "{" + ", ".join(f"{key}: {value}" for key, value in values.items()) + "}"
    )


def _as_block(text: str, node: yaml.SequenceNode, entries: list[Entry]) -> str:
    """Write a list in brackets as one line an entry."""
    begin, end = node.start_mark.index, node.end_mark.index
    items = "".join(_item(entry, "  ") for entry in entries).rstrip("\n")
    return f"{text[:begin].rstrip(' ')}\n{items}{text[end:]}" if entries else f"{text[:begin]}[]{text[end:]}"


def _item(entry: Entry, indent: str) -> str:
    lines = [f"{key}: {_quoted(value)}" for key, value in _values(entry).items()]
    return f"{indent}- " + f"\n{indent}  ".join(lines) + "\n"


def _quoted(value: str, style: str | None = None) -> str:
    """Write a scalar so that every YAML reader takes it for the same text."""
    dumped: str = yaml.safe_dump(value, width=1000, allow_unicode=True, default_style=style)
    return dumped.removesuffix("\n...\n").rstrip("\n")


def _with_newline(text: str) -> str:
    return text if not text or text.endswith("\n") else text + "\n"


def change(path: Path, edit: Callable[[str], str], written: Path | None = None) -> None:
    """Carry out `edit` on the text of a file and save it (as `written`, if it is another place).

    Two changes at once wait for each other. Byte order mark and Windows line ends stay. Raises OSError, UnicodeError
    and what `edit` raises.
    """
    written = path if written is None else written
    folder = Path(os.path.realpath(written)).parent
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = b""
        mark = BOM if data.startswith(BOM) else b""
        text = data.removeprefix(BOM).decode()
        windows = "\r\n" in text and text.count("\n") == text.count("\r\n")
        changed = edit(text.replace("\r\n", "\n") if windows else text)
        save(written, changed.replace("\n", "\r\n") if windows else changed, mark)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    # The file is replaced by each change, so the lock is on its folder.
    descriptor = os.open(folder, os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def save(path: Path, text: str, mark: bytes = b"") -> None:
    """Replace the file in one step: a reader sees the old or the new one. Raises OSError."""
    path = Path(os.path.realpath(path))  # a link stays a link
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(mark + text.encode())
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            there = path.stat()
            os.chmod(temporary, there.st_mode & 0o7777)
            if os.geteuid() == 0:
                os.chown(temporary, there.st_uid, there.st_gid)
        else:
            os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
