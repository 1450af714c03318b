"""`secc version`: what runs here: image, application, safety controller, slot."""

from __future__ import annotations

import argparse
import json
import subprocess
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.table import pairs
from chargebyte_fw.cli.text import add_root
from chargebyte_fw.kernel.text import read_text_as_is, text_lines

if TYPE_CHECKING:
    from chargebyte_fw.kernel.paths import Root

UNKNOWN = "unknown"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "version", help="show what runs here", description=__doc__.partition(": ")[2], epilog="example: secc version"
    )
    add_root(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the versions; what cannot be found out is `unknown`, with the reason."""
    from chargebyte_fw.kernel.paths import root_at

    collected = collect(root_at(arguments.root))
    if arguments.json:
        print(json.dumps(collected, indent=2))
    else:
        print(pairs(list(collected.items())))
    return 0


def collect(root: Root) -> dict[str, str]:
    """Return what runs here, by name."""
    from chargebyte_fw import VERSION
    from chargebyte_fw.manager.status_file import read

    status = read(root)
    without = "the charging stack does not run" if status is None else "it does not answer"
    controller = status.about.get("safety controller") if status is not None else None
    collected = {
        "image": first_line(root, "/usr/share/secc/VERSION"),
        "application": VERSION,
        "safety controller": controller or f"{UNKNOWN} ({without})",
        "slot": slot(root),
    }
    before = first_line(root, "/var/lib/secc/previous-version/VERSION")
    if before != UNKNOWN:
        collected["installed by"] = before
    return collected


def first_line(root: Root, path: str) -> str:
    """Return the first line of a file, `unknown` where there is none."""
    try:
        lines = text_lines(read_text_as_is(root.read(path), "replace"))
    except OSError:
        return UNKNOWN
    return lines[0].strip() if lines else UNKNOWN


def booted_slot(root: Root) -> str:
    """Return the slot that the boot loader booted; empty where it reports none."""
    try:
        words = root.read("/proc/cmdline").read_text("utf-8", "replace").split()
    except OSError:
        return ""
    return next((word.removeprefix("rauc.slot=") for word in words if word.startswith("rauc.slot=")), "")


def slot(root: Root) -> str:
    """Return the booted slot and how RAUC holds it, as far as that can be found out."""
    from chargebyte_fw.kernel.decoding import decode_json

    booted = booted_slot(root)
    if not booted:
        return f"{UNKNOWN} (this system was not started from a slot)"
    try:
        done = subprocess.run(
            ["rauc", "status", "--output-format=json"], capture_output=True, text=True, timeout=10, check=True
        )
        slots = [entry for one in decode_json(done.stdout)["slots"] for entry in one.values()]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, AttributeError, TypeError):
        return booted
    state = next((entry.get("boot_status") for entry in slots if entry.get("bootname") == booted), None)
    return f"{booted} ({state})" if state else booted
