"""`secc index`: make the index of installed modules, so that a start scans nothing; run when an image is built."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.text import add_root, counted


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "index",
        help="make the index of installed modules",
        description=__doc__.partition(": ")[2],
        epilog="example: secc index",
    )
    parser.add_argument(
        "--site", type=Path, metavar="DIR", help="the folder of Python packages (default: where this command is from)"
    )
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the index; exit status 1 when it cannot be written."""
    import chargebyte_fw
    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager import index
    from chargebyte_fw.manager.discovery import MODULES_DIR, index_of

    root = root_at(arguments.root, hardware=True)
    site = arguments.site or Path(chargebyte_fw.__file__).parents[1]
    made = index_of(site, root.read(MODULES_DIR))
    target = root.write(index.PLACE)
    try:
        index.write(target, made)
    except OSError as error:
        raise Unavailable(f"{target} cannot be written: {error.strerror}") from error
    print(f"{counted(len(made.modules) + len(made.programs), 'module')} in {target}")
    return 0
