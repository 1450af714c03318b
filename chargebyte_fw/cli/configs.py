"""`secc configs`: the configurations that `secc manager --db` stores, one a slot (EVerest: everest-config-tool)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.check import print_findings
from chargebyte_fw.cli.table import Column, paragraph, table
from chargebyte_fw.cli.text import counted

if TYPE_CHECKING:
    from chargebyte_fw.manager.configuration.loading import Configuration
    from chargebyte_fw.manager.everest.slots import Slots

EXAMPLES = """examples:
  secc configs add --config config-sil-dc --db /var/lib/everest/configs.db
  secc configs list --db /var/lib/everest/configs.db
  secc configs choose --db /var/lib/everest/configs.db --slot 1
  secc manager --db /var/lib/everest/configs.db"""
EX_CONFIG = 78
PREFIX = "EVerest's prefix (default: /usr)"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "configs",
        help="keep configurations for secc manager --db, as everest-config-tool does",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument("-p", "--prefix", type=Path, default=Path("/usr"), metavar="DIR", help=PREFIX)
    what = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    add = _add(what, "add", "check a configuration and store it in a slot of its own", _add_slot, "-c FILE -d c.db")
    _config(add)
    _db(add)
    validate = _add(what, "validate", "check a configuration and store nothing", _validate, "-c config-sil-dc")
    _config(validate)
    listed = _add(what, "list", "list the slots and which one the next start is from", _list, "-d c.db")
    _db(listed)
    listed.add_argument("--json", action="store_true", help="print as JSON")
    choose = _add(what, "choose", "make a slot the one of the next start", _choose, "-d c.db -s 1")
    _db(choose)
    _slot(choose)
    delete = _add(what, "delete", "delete a slot, but not the one of the next start", _delete, "-d c.db -s 1")
    _db(delete)
    _slot(delete)


def _add(what: Any, name: str, text: str, run: Any, example: str) -> argparse.ArgumentParser:
    examples = [f"secc configs {name} {example}"]
    parser: argparse.ArgumentParser = what.add_parser(name, help=text, description=text, examples=examples)
    # EVerest's tool takes it on either side of the command.
    parser.add_argument("-p", "--prefix", type=Path, default=argparse.SUPPRESS, metavar="DIR", help=PREFIX)
    parser.set_defaults(run=lambda arguments: _run(run, arguments))
    return parser


def _config(parser: argparse.ArgumentParser) -> None:
    text = "the configuration, or its short name in etc/everest"
    parser.add_argument("-c", "--config", required=True, metavar="FILE", help=text)


def _db(parser: argparse.ArgumentParser) -> None:
    text = "SQLite file of stored configurations"
    parser.add_argument("-d", "--db", type=Path, required=True, metavar="FILE", help=text)


def _slot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-s", "--slot", type=count, required=True, metavar="NUMBER", help="number of the slot")


def _run(run: Any, arguments: argparse.Namespace) -> int:
    """Do it; exit status 1 where a file or slot is not what it has to be, 78 for a wrong configuration."""
    from chargebyte_fw.manager.everest.slots import SlotRefused

    try:
        status: int = run(arguments)
    except SlotRefused as error:
        print(paragraph(f"secc configs: {error}", sys.stderr), file=sys.stderr)
        return 1
    return status


def _read(arguments: argparse.Namespace) -> Configuration:
    """Return the configuration as `secc manager --check` reads it, its findings printed."""
    from chargebyte_fw.manager.everest.options import Options, root_of
    from chargebyte_fw.manager.everest.source import FileSource

    options = Options(prefix=arguments.prefix.absolute(), config=arguments.config)
    configuration = FileSource(options, root_of(options)).read()
    print_findings(configuration)
    return configuration


def _counts(configuration: Configuration) -> str:
    return counted(len(configuration.plans), "module")


def _refused(configuration: Configuration) -> int:
    what = counted(len(configuration.errors), "error")
    print(paragraph(f"secc configs: {configuration.path}: {what}; correct the file", sys.stderr), file=sys.stderr)
    return EX_CONFIG


def _validate(arguments: argparse.Namespace) -> int:
    configuration = _read(arguments)
    if configuration.errors:
        return _refused(configuration)
    print(paragraph(f"{configuration.path} is sound: {_counts(configuration)}"))
    return 0


def _add_slot(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.manager.everest.slots import Slots

    configuration = _read(arguments)
    if configuration.errors:
        return _refused(configuration)
    slots = Slots(arguments.db)
    slot = slots.add(configuration.plans, str(configuration.path.absolute()))
    what = f"{configuration.path} is slot {slot} of {arguments.db}: {_counts(configuration)}"
    print(paragraph(f"{what}; the next start is from slot {slots.next_boot()}"))
    return 0


def _list(arguments: argparse.Namespace) -> int:
    import msgspec

    slots = _opened(arguments).stored()
    if arguments.json:
        print(json.dumps(msgspec.to_builtins(slots), indent=2))
        return 0
    head: list[str | Column] = [Column("slot", right=True), "next start", Column("modules", right=True), "stored"]
    head += ["file", Column("description", cut=True)]
    rows = [
        [str(one.slot), "yes" if one.next_boot else "", str(one.modules), one.last_updated, one.file, one.description]
        for one in slots
    ]
    print(table(head, rows) if rows else f"{arguments.db} has no slots")
    return 0


def _choose(arguments: argparse.Namespace) -> int:
    _opened(arguments).choose(arguments.slot)
    print(paragraph(f"the next start is from slot {arguments.slot} of {arguments.db}"))
    return 0


def _delete(arguments: argparse.Namespace) -> int:
    _opened(arguments).delete(arguments.slot)
    print(paragraph(f"slot {arguments.slot} of {arguments.db} is deleted"))
    return 0


def _opened(arguments: argparse.Namespace) -> Slots:
    from chargebyte_fw.manager.everest.slots import Slots

    return Slots(arguments.db, makes_file=False)
