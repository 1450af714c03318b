"""Options that several subcommands share, and their words."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_root(parser: argparse.ArgumentParser) -> argparse.Action:
    """Add `--root`."""
    return parser.add_argument(
        "--root",
        type=existing_folder,
        default=Path("/"),
        metavar="DIR",
        help="where the product's file system is: / on a charger (elsewhere / means what came with this package), the "
        "checkout on a desk (default: /)",
    )


def add_programs(parser: argparse.ArgumentParser) -> argparse.Action:
    """Add `--program`."""
    return parser.add_argument(
        "--program",
        action="append",
        default=[],
        metavar="MODULE",
        help="where a module of this product and a program of another vendor have the same name, take the program; all "
        "for every one; may be repeated",
    )


def existing_folder(text: str) -> Path:
    """Read an option that names a folder which is there: one that is misspelt must not be made by what is written."""
    path = Path(text)
    if not path.is_dir():
        raise argparse.ArgumentTypeError(
            f"{text} is a file, no folder" if path.exists() else f"there is no folder {text}"
        )
    return path


def configuration_file(given: str | None, root: Path) -> Path:
    """Return the file that is meant: as given, below the root, or by its short name in etc/everest."""
    from chargebyte_fw.kernel.paths import shipped_at

    root = shipped_at(root)
    if given is None:
        return root / "etc/everest/config.yaml"
    typed = Path(given)
    if typed.exists():
        return typed
    below = root / given.lstrip("/")
    if typed.is_absolute() and below.exists():
        return below
    # A short name that does not exist is looked for there as well: the nearest one is named then.
    return root / "etc/everest" / f"{given}.yaml" if "/" not in given and not typed.suffix else typed


def counted(number: int, what: str) -> str:
    """Write `1 error`, `2 errors`, `2 entries`, `2 mismatches`."""
    if number == 1:
        return f"1 {what}"
    if what.endswith("y") and what[-2] not in "aeiou":
        return f"{number} {what[:-1]}ies"
    return f"{number} {what}{'es' if what.endswith(('s', 'x', 'ch', 'sh')) else 's'}"
