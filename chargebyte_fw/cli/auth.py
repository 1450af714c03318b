"""`secc auth`: the list of tokens that may charge (AuthListValidator): show it, add to it, remove from it."""

from __future__ import annotations

import argparse
import errno
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.table import Column, table
from chargebyte_fw.cli.text import add_root, counted

if TYPE_CHECKING:
    from datetime import datetime

    from chargebyte_fw.modules.auth.token_list import Entry

DEFAULT = "/etc/everest/auth_list.yaml"
EXAMPLE = """examples:
  secc auth add 04A1B2C3D4 --name "Ada" --expires 2027-12-31 --connector 1
  secc auth list
  secc auth remove 04A1B2C3D4
A running charger sees the change within seconds; comments in the file stay."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "auth",
        help="show and change the list of tokens that may charge",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLE,
    )
    what = parser.add_subparsers(dest="what", metavar="list|add|remove", required=True)
    shown = "show the tokens, and which of them cannot charge today and why"
    listed = what.add_parser(
        "list", help=shown, description=shown, examples=["secc auth list", "secc auth list --file yard.csv --json"]
    )
    listed.add_argument("--json", action="store_true", help="print as JSON")
    _common(listed, _list)
    add = what.add_parser(
        "add",
        help="add a token",
        description="add a token",
        examples=[
            "secc auth add 04A1B2C3D4",
            'secc auth add 04A1B2C3D4 --name "Ada" --expires 2027-12-31 --connector 1 --connector 3',
        ],
    )
    add.add_argument("token", metavar="TOKEN", help="the token as the reader reports it, in any case")
    add.add_argument("--type", default="", metavar="TYPE", help="only for tokens of this type, as ISO14443 or eMAID")
    add.add_argument("--name", default="", help="whose it is, for people")
    add.add_argument("--expires", default="", metavar="TIME", help="last day, or last moment with a time")
    add.add_argument("--parent", default="", metavar="TOKEN", help="token of its group")
    add.add_argument("--connector", action="append", default=[], metavar="N", help="only there (may be repeated)")
    add.add_argument("--blocked", action="store_true", help="listed, but refused")
    _common(add, _add)
    remove = what.add_parser(
        "remove", help="remove a token", description="remove a token", examples=["secc auth remove 04A1B2C3D4"]
    )
    remove.add_argument("token", metavar="TOKEN", help="the token, in any case")
    _common(remove, _remove)


def _common(parser: argparse.ArgumentParser, run: Any) -> None:
    parser.add_argument("--file", default=DEFAULT, metavar="FILE", help=f"the list (default {DEFAULT})")
    add_root(parser)
    parser.set_defaults(run=lambda arguments: _run(arguments, run))


def _run(arguments: argparse.Namespace, run: Any) -> int:
    path, _ = _places(arguments)
    try:
        status: int = run(arguments)
        return status
    except UnicodeError:
        reason = "not a text in UTF-8"
    except ValueError as error:
        reason = str(error)
    except BrokenPipeError:
        raise
    except OSError as error:
        # Of a temporary file beside the list as well: the list is what was named.
        reason = error.strerror or str(error)
    print(f"secc auth: {path}: {reason}", file=sys.stderr)
    return 1


def _places(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """Return where the list is read and written; a path that exists as given is used as given."""
    from chargebyte_fw.kernel.paths import root_at

    typed = Path(arguments.file)
    if not typed.is_absolute() or (arguments.file != DEFAULT and typed.exists()):
        return typed, typed
    root = root_at(arguments.root)
    return root.read(arguments.file), root.write(arguments.file)


def _list(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.modules.auth.token_list import parse

    path, _ = _places(arguments)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such list yet; `secc auth add TOKEN` begins it")
    entries = list(parse(path.read_bytes().decode("utf-8-sig"), str(path)).values())
    now = utc_now()
    reasons = [why_not(entry, now) for entry in entries]
    if arguments.json:
        print(json.dumps([_plain(entry, why) for entry, why in zip(entries, reasons)], indent=2, ensure_ascii=False))
        return 0
    head: list[str | Column] = ["token", "today", "type", Column("name", cut=True), "expires", "parent", "connectors"]
    rows = [
        [
            entry.id,
            f"no: {why}" if why else "may charge",
            entry.type,
            entry.name,
            "" if entry.expires is None else f"{entry.expires:%Y-%m-%d %H:%M}Z",
            entry.parent,
            " ".join(map(str, entry.connectors)),
        ]
        for entry, why in zip(entries, reasons)
    ]
    print(table(head, rows))
    refused = sum(map(bool, reasons))
    print(f"{counted(len(rows), 'token')}" + (f", {refused} of them cannot charge today" if refused else ""))
    return 0


def why_not(entry: Entry, now: datetime) -> str:
    """Return why a token cannot charge at this time; empty if it can. The order is that of AuthListValidator."""
    if entry.blocked:
        return "blocked"
    if entry.expires is not None and now > entry.expires:
        days = (now - entry.expires).days
        return f"expired {counted(days, 'day')} ago" if days else "expired today"
    return ""


def _plain(entry: Entry, why: str) -> dict[str, Any]:
    from chargebyte_fw.kernel.clock import rfc3339

    return {
        "id": entry.id,
        "may_charge": not why,
        "why_not": why,
        "type": entry.type,
        "name": entry.name,
        "expires": None if entry.expires is None else rfc3339(entry.expires),
        "parent": entry.parent,
        "connectors": list(entry.connectors),
        "blocked": entry.blocked,
    }


def _add(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.modules.auth.token_list import entry_from
    from chargebyte_fw.modules.auth.token_list_edit import add, change

    values = {key: getattr(arguments, key) for key in ("type", "name", "expires", "parent")}
    blocked = "true" if arguments.blocked else ""
    try:
        entry = entry_from({"id": arguments.token, "connectors": arguments.connector, "blocked": blocked, **values})
    except ValueError as error:
        print(f"secc auth: {error}", file=sys.stderr)
        return 2
    path, written = _places(arguments)
    change(path, lambda text: add(text, str(path), entry), written)
    print(f"{entry.id} is on the list now ({written})")
    if entry.expires is not None and utc_now() > entry.expires:
        when = f"{entry.expires:%Y-%m-%d %H:%M}Z"
        print(f"secc auth: warning: {when} has passed: {entry.id} cannot charge", file=sys.stderr)
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.modules.auth.token_list_edit import change, remove

    path, written = _places(arguments)
    if not path.exists():
        raise FileNotFoundError(errno.ENOENT, "there is no such list")
    change(path, lambda text: remove(text, str(path), arguments.token), written)
    print(f"{arguments.token} is off the list now ({written})")
    return 0
