"""`secc trace`: what the black box recorded before a failure (frames, commands, facts, faults)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.text import add_root, table


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "trace",
        help="list and show recorded traces",
        description=__doc__.partition(": ")[2],
        epilog="example: secc trace show --kind v2g --last 20 (a running charger saves its trace on SIGUSR1)",
    )
    parser.add_argument("what", choices=("list", "show"))
    parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the trace to show (default: the newest)")
    add_root(parser)
    parser.add_argument("--kind", action="append", metavar="KIND", help="only uart, slac, v2g, cmd, var or fault ...")
    parser.add_argument("--source", metavar="TEXT", help="only sources that hold this text")
    parser.add_argument("--last", type=int, metavar="N", help="only the last N entries")
    parser.add_argument("--json", action="store_true", help="one JSON object a line; bytes in hex")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List or show; exit status 1 when there is no trace or it cannot be read."""
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.recording import files, read

    saved = files(root_at(arguments.root))
    if arguments.what == "list":
        print(table(["trace", "bytes"], [[str(path), str(path.stat().st_size)] for path in saved]))
        return 0
    path = arguments.file or (saved[-1] if saved else None)
    if path is None:
        print("secc: no trace is saved; one is written when a module fails", file=sys.stderr)
        return 1
    try:
        entries = [
            entry
            for entry in read(path)
            if (not arguments.kind or entry[1] in arguments.kind) and (arguments.source or "") in entry[2]
        ]
    except (OSError, ValueError) as error:
        print(f"secc: {error}", file=sys.stderr)
        return 1
    for entry in entries[-arguments.last :] if arguments.last else entries:
        print(_as_json(entry) if arguments.json else _as_line(entry))
    return 0


def _text(data: Any) -> Any:
    return data.hex() if isinstance(data, bytes) else data


def _as_json(entry: tuple[float, str, str, Any]) -> str:
    t_s, kind, source, data = entry
    return json.dumps({"t_s": t_s, "kind": kind, "source": source, "data": data}, default=_text)


def _as_line(entry: tuple[float, str, str, Any]) -> str:
    t_s, kind, source, data = entry
    text = _text(data) if isinstance(data, bytes | str) else json.dumps(data, default=_text)
    return f"{t_s:12.3f} {kind:<6} {source:<40} {text}"
