"""`secc auth`: the list of tokens that may charge (AuthListValidator): show it, add to it, remove from it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.table import table
from chargebyte_fw.cli.text import add_root, counted

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
    _common(what.add_parser("list", help="show the tokens"), _list)
    add = what.add_parser("add", help="add a token")
    add.add_argument("token")
    add.add_argument("--type", default="", metavar="TYPE", help="only for tokens of this type, as ISO14443 or eMAID")
    add.add_argument("--name", default="", help="whose it is, for people")
    add.add_argument("--expires", default="", metavar="TIME", help="last day, or last moment with a time")
    add.add_argument("--parent", default="", metavar="TOKEN", help="token of its group")
    add.add_argument("--connector", action="append", default=[], metavar="N", help="only there (may be repeated)")
    add.add_argument("--blocked", action="store_true", help="listed, but refused")
    _common(add, _add)
    remove = what.add_parser("remove", help="remove a token")
    remove.add_argument("token")
    _common(remove, _remove)


def _common(parser: argparse.ArgumentParser, run: Any) -> None:
    parser.add_argument("--file", default=DEFAULT, metavar="FILE", help=f"the list (default {DEFAULT})")
    add_root(parser)
    parser.set_defaults(run=lambda arguments: _run(arguments, run))


def _run(arguments: argparse.Namespace, run: Any) -> int:
    try:
        status: int = run(arguments)
        return status
    except UnicodeError:
        print(f"secc: {arguments.file}: not a text in UTF-8", file=sys.stderr)
    except ValueError as error:
        print(f"secc: {error}", file=sys.stderr)
    except OSError as error:
        print(f"secc: {error.filename or arguments.file}: {error.strerror}", file=sys.stderr)
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
    from chargebyte_fw.modules.auth.token_list import parse

    path, _ = _places(arguments)
    if not path.exists():
        print(f"secc: {path}: there is no such list yet; `secc auth add TOKEN` begins it", file=sys.stderr)
        return 1
    entries = parse(path.read_bytes().decode("utf-8-sig"), str(path))
    rows = [
        [
            entry.id,
            entry.type,
            entry.name,
            "" if entry.expires is None else f"{entry.expires:%Y-%m-%d %H:%M}Z",
            entry.parent,
            " ".join(map(str, entry.connectors)),
            "blocked" if entry.blocked else "",
        ]
        for entry in entries.values()
    ]
    print(table(["token", "type", "name", "expires", "parent", "connectors", ""], rows))
    print(counted(len(rows), "token"))
    return 0


def _add(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.modules.auth.token_list import entry_from
    from chargebyte_fw.modules.auth.token_list_edit import add, change

    values = {key: getattr(arguments, key) for key in ("type", "name", "expires", "parent")}
    entry = entry_from(
        {
            "id": arguments.token,
            "connectors": arguments.connector,
            "blocked": "true" if arguments.blocked else "",
            **values,
        }
    )
    path, written = _places(arguments)
    change(path, lambda text: add(text, str(path), entry), written)
    print(f"{entry.id} is on the list now")
    return 0


def _remove(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.modules.auth.token_list_edit import change, remove

    path, written = _places(arguments)
    change(path, lambda text: remove(text, str(path), arguments.token), written)
    print(f"{arguments.token} is off the list now")
    return 0
