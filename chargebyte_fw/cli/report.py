"""`secc report`: one archive for a service request: versions, configuration, faults, trace, logs; no secrets."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import positive
from chargebyte_fw.cli.outputs import output_file
from chargebyte_fw.cli.text import add_root, configuration_file, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from chargebyte_fw.cli.report_items import Item

CONTENTS = "CONTENTS.txt"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "report",
        help="pack what a service request needs",
        description=f"{__doc__.partition(': ')[2]} The contents are listed before the archive is made.",
        examples=[
            "secc report                             list, ask, and write secc-report-TIME.tar.gz here",
            "secc report --list                      only list",
            "secc report --yes --hours 2 --no-trace --out /tmp/report.tar.gz",
            "secc report --root . --config bsp-only-dc --log charger.log",
        ],
    )
    parser.add_argument(
        "--out", type=output_file, metavar="FILE", help="the archive (default: secc-report-TIME.tar.gz)"
    )
    parser.add_argument("--list", action="store_true", help="list the contents, write nothing")
    parser.add_argument("--yes", action="store_true", help="write without a question")
    parser.add_argument("--config", metavar="FILE", help="the configuration (default: the one of the running charger)")
    parser.add_argument("--log", type=Path, metavar="FILE", help="the log is in this file, not in the journal")
    parser.add_argument("--hours", type=positive, default=24.0, metavar="H", help="of the journal (default: 24)")
    parser.add_argument("--no-trace", dest="trace", action="store_false", help="leave the trace out")
    parser.add_argument("--json", action="store_true", help="the contents as JSON; asks nothing")
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """List the contents and write them; exit status 1 when the answer is no."""
    from chargebyte_fw.cli.report_items import Wanted, items
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.kernel.paths import root_at

    root = root_at(arguments.root)
    wanted = Wanted(
        root=root,
        configuration=configuration_file(arguments.config or _running(root), arguments.root),
        log=arguments.log,
        hours=arguments.hours,
        trace=arguments.trace,
    )
    collected = []
    for item in items(wanted):
        if sys.stderr.isatty():
            print(f"\r\x1b[Kcollected {item.name}", end="", file=sys.stderr, flush=True)
        collected.append(item)
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    now = utc_now()
    name = f"secc-report-{now:%Y%m%d-%H%M%S}"
    target = arguments.out or Path(f"{name}.tar.gz")
    if arguments.json:
        # The archive itself may go to standard output.
        stream = sys.stderr if str(target) == "-" and not arguments.list else sys.stdout
        print(json.dumps(_plain(collected, None if arguments.list else target), indent=2), file=stream)
    else:
        print(_table(collected), file=sys.stderr if str(target) == "-" else sys.stdout)
    if arguments.list:
        return 0
    if not (arguments.yes or arguments.json) and sys.stdin.isatty() and not _agreed(target):
        print("nothing is written", file=sys.stderr)
        return 1
    size = _write(target, name, collected, now)
    if not arguments.json:
        count = sum(one.content is not None for one in collected)
        print(f"\n{target}: {counted(count, 'file')}, {_octets(size)}", file=sys.stderr)
    return 0


def _running(root: Any) -> str | None:
    """Return the configuration of the charger that runs here."""
    from chargebyte_fw.manager.status_file import read

    status = read(root)
    return status.configuration if status is not None and status.configuration else None


def _agreed(target: Path) -> bool:
    try:
        answer = input(f"\nwrite {target}? [Y/n] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("", "y", "yes")


def _octets(number: int) -> str:
    for unit, factor in (("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= factor:
            return f"{number / factor:.1f} {unit}"
    return f"{number} B"


def _table(collected: Sequence[Item]) -> str:
    from chargebyte_fw.cli.table import Column, table

    rows = [
        [one.name, "left out" if one.content is None else _octets(len(one.content)), one.missing or one.what]
        for one in collected
    ]
    return table(["file", Column("size", right=True), "what it is, or why it is left out"], rows)


def _plain(collected: Sequence[Item], target: Path | None) -> dict[str, Any]:
    files = [
        {"name": one.name, "what": one.what, "bytes": None if one.content is None else len(one.content)}
        | ({"left_out": one.missing} if one.missing else {})
        for one in collected
    ]
    return {"archive": None if target is None else str(target), "files": files}


def _write(target: Path, name: str, collected: Sequence[Item], now: datetime) -> int:
    """Write the archive, which only its owner may read; returns its size."""
    import io
    import os
    import tarfile

    from chargebyte_fw.cli.outputs import write_bytes, writing

    packed = io.BytesIO()
    contents = "".join(f"{one.name}: {one.missing or one.what}\n" for one in collected).encode()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=6) as archive:
        files = [(CONTENTS, contents), *((one.name, one.content) for one in collected if one.content is not None)]
        for member, content in files:
            info = tarfile.TarInfo(f"{name}/{member}")
            info.size = len(content)
            info.mtime = int(now.timestamp())
            info.mode = 0o600
            archive.addfile(info, io.BytesIO(content))
    data = packed.getvalue()
    if str(target) == "-":
        write_bytes(target, data)
        return len(data)
    with writing(target), os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(data)
    return len(data)
