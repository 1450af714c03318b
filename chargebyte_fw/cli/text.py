"""Options that several subcommands share, and their words."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_root(parser: argparse.ArgumentParser) -> argparse.Action:
    """Add `--root`."""
    return parser.add_argument(
        "--root",
        type=Path,
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
    short = root / "etc/everest" / f"{given}.yaml"
    return short if "/" not in given and short.exists() else typed


def counted(number: int, what: str) -> str:
    """Write `1 error`, `2 errors`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
