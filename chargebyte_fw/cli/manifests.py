"""`secc manifests`: EVerest's files for what is installed (manifests, interfaces, types, errors, JSON schemas)."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from chargebyte_fw.cli.outputs import output_folder, write_text
from chargebyte_fw.cli.text import add_root, counted


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "manifests",
        help="write EVerest's manifests, interfaces and types",
        description=__doc__.partition(": ")[2],
        epilog="example: secc manifests --out build/everest",
    )
    parser.add_argument("--out", type=output_folder, required=True, metavar="DIR", help="the folder to write into")
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; exit status 1 when a module cannot be loaded or a file cannot be written."""
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.discovery import MODULES_DIR, CannotLoad, discover
    from chargebyte_fw.manager.everest.prefix import as_text
    from chargebyte_fw.manager.export import everything

    failed = False
    classes = {}
    for name, places in discover([root_at(arguments.root).read(MODULES_DIR)]).by_name.items():
        if places[0].is_program:
            continue
        try:
            classes[name] = places[0].load()
        except CannotLoad as error:
            print(f"secc: {name} cannot be loaded: {error}", file=sys.stderr)
            failed = True
    count = 0
    for path, content in everything(classes).items():
        target = arguments.out / path
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, as_text(path, content))
        count += 1
    print(f"{counted(count, 'file')} in {arguments.out}")
    return 1 if failed else 0
