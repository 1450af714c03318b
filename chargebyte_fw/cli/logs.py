"""`secc logs`: the charger's log: of a session with its story, of a module, from a level on; or as it is written."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.text import counted

if TYPE_CHECKING:
    from chargebyte_fw.cli.log_lines import Line
    from chargebyte_fw.cli.log_story import Session

LEVELS = ("debug", "info", "warning", "error")
LAST = 200
"""Lines shown where nothing is chosen."""
NEWEST = "last"


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "logs",
        help="show the log of a session, a module, a level",
        description=__doc__.partition(": ")[2],
        examples=[
            "secc logs --sessions                       the sessions in the journal",
            "secc logs --session last                   the story of the newest one",
            "secc logs --module slac --level warning --since 2h",
            "secc logs --follow",
            "secc logs --file charger.log --session 4a5804fc",
        ],
    )
    parser.add_argument(
        "--file", type=Path, metavar="FILE", help="the log is in this file (of `secc run 2>FILE`), - is standard input"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--sessions", action="store_true", help="list the sessions: begin, duration, warnings, end")
    which.add_argument(
        "--session", metavar="ID", help="the story of a session, by the beginning of its identifier, or `last`"
    )
    which.add_argument("--follow", action="store_true", help="go on with what is logged from now on")
    parser.add_argument("--module", action="append", default=[], metavar="ID", help="only this module; may be repeated")
    parser.add_argument("--level", choices=LEVELS, help="only lines of this level and above")
    parser.add_argument("--since", metavar="TIME", help="only from then on: 15m (ago), 2h, 1d, 13:45, 2026-03-01T13:45")
    parser.add_argument("--until", metavar="TIME", help="only up to then (UTC)")
    parser.add_argument(
        "--last", type=count, metavar="N", help=f"only the last N lines (default: {LAST} where nothing is chosen)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the lines; exit status 1 where what was asked for is not in the log."""
    from chargebyte_fw.cli.log_source import moment
    from chargebyte_fw.kernel.clock import utc_now

    now = utc_now()
    times = {}
    for option in ("since", "until"):
        given = getattr(arguments, option)
        try:
            times[option] = None if given is None else moment(given, now)
        except ValueError as error:
            print(f"secc logs: --{option} {given}: {error}", file=sys.stderr)
            return 2
    if arguments.follow:
        return _follow(arguments)
    lines = list(_read(arguments, times["since"], times["until"]))
    if not lines:
        place = arguments.file or "the journal"
        print(f"secc logs: {place} has no line of this charger {_of_time(times)}".rstrip(), file=sys.stderr)
        return 1
    if arguments.sessions:
        return _sessions(lines, as_json=arguments.json)
    if arguments.session is not None:
        return _story(lines, arguments)
    if problem := _unknown_module(lines, arguments.module):
        print(f"secc logs: {problem}", file=sys.stderr)
        return 1
    chosen = list(_chosen(lines, arguments))
    last = arguments.last
    if last is None and not (arguments.module or arguments.level or arguments.since or arguments.until):
        last = LAST
    _print(chosen if last is None else chosen[max(0, len(chosen) - last) :], as_json=arguments.json)
    return 0


def _of_time(times: dict[str, datetime | None]) -> str:
    return "in this time" if any(times.values()) else ""


def _read(arguments: argparse.Namespace, since: datetime | None, until: datetime | None) -> Iterator[Line]:
    from chargebyte_fw.cli.log_source import of_file, of_journal

    if arguments.file is None:
        chosen = arguments.sessions or arguments.session or arguments.module or arguments.level or since or until
        yield from of_journal(since, until, last=None if chosen else arguments.last or LAST)
        return
    wanted = since is None
    for line in of_file(arguments.file):
        # What has no time (the last words of a program) belongs to the line before it.
        if line.time is not None:
            wanted = (since is None or line.time >= since) and (until is None or line.time <= until)
        if wanted:
            yield line


def _chosen(lines: Iterable[Line], arguments: argparse.Namespace) -> Iterator[Line]:
    from chargebyte_fw.cli.log_lines import LEVELS as ALL

    least = 0 if arguments.level is None else ALL.index(arguments.level)
    for line in lines:
        if ALL.index(line.level) >= least and (not arguments.module or line.module in arguments.module):
            yield line


def _unknown_module(lines: Iterable[Line], wanted: Iterable[str]) -> str:
    from chargebyte_fw.kernel.names import nearest

    known = sorted({line.module for line in lines} - {""})
    for name in wanted:
        if name not in known:
            hint = nearest(name, known)
            return f"no line is of a module {name!r}" + (f" ({hint})" if hint else "")
    return ""


def _follow(arguments: argparse.Namespace) -> int:
    if arguments.file is not None:
        print("secc logs: --follow reads the journal; for a file: tail -f FILE | secc logs --file -", file=sys.stderr)
        return 2
    from chargebyte_fw.cli.log_source import followed

    for line in _chosen(followed(10 if arguments.last is None else arguments.last), arguments):
        _print([line], as_json=arguments.json)
        sys.stdout.flush()
    return 0


def _sessions(lines: Iterable[Line], *, as_json: bool) -> int:
    import msgspec

    from chargebyte_fw.cli.log_story import sessions

    found = sessions(lines)
    if as_json:
        for session in found:
            print(json.dumps({**msgspec.to_builtins(session), "lasted_s": session.lasted_s}, ensure_ascii=False))
        return 0
    if not found:
        print("no session is in the log", file=sys.stderr)
        return 0
    from chargebyte_fw.cli.table import Column, table

    counts = [Column("warnings", right=True), Column("errors", right=True)]
    head: list[str | Column] = ["session", "EVSE", "began (UTC)", "lasted", *counts]
    head.append(Column("logged last", cut=True))
    rows = [
        [
            one.id[:8],
            one.module,
            f"{one.began:%Y-%m-%d %H:%M:%S}" if one.began else "",
            duration(one.lasted_s) if one.ended else "goes on",
            str(one.warnings or ""),
            str(one.errors or ""),
            one.last,
        ]
        for one in found
    ]
    print(table(head, rows))
    return 0


def duration(seconds: float | None) -> str:
    """Write `44 s`, `12 min 5 s`, `3 h 20 min`."""
    if seconds is None:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _story(lines: list[Line], arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.log_story import sessions, story

    found = sessions(lines)
    wanted = arguments.session
    if wanted == NEWEST:
        chosen = found[-1:]
    else:
        chosen = [one for one in found if one.id.startswith(wanted) or wanted.startswith(one.id)]
    if len(chosen) != 1:
        what = "no session" if not chosen else counted(len(chosen), "session")
        known = ", ".join(one.id[:8] for one in (chosen or found)[-8:])
        print(f"secc logs: {what} of {wanted!r} in the log" + (f" ({known})" if known else ""), file=sys.stderr)
        return 1
    session = chosen[0]
    chosen_lines = list(_chosen(story(lines, session.id), arguments))
    if arguments.last is not None:
        chosen_lines = chosen_lines[max(0, len(chosen_lines) - arguments.last) :]
    if not arguments.json:
        print(_headline(session))
    _print(chosen_lines, as_json=arguments.json, begin=session.began)
    return 0


def _headline(session: Session) -> str:
    from chargebyte_fw.cli.text import counted

    began = f"{session.began:%Y-%m-%d %H:%M:%S} UTC" if session.began else "at an unknown time"
    lasted = f", lasted {duration(session.lasted_s)}" if session.ended else ", goes on or has no end in this log"
    worst = [counted(n, what) for n, what in ((session.errors, "error"), (session.warnings, "warning")) if n]
    return f"session {session.id} at {session.module}: began {began}{lasted}; {', '.join(worst) or 'no warnings'}"


def _print(lines: Iterable[Line], *, as_json: bool, begin: datetime | None = None) -> None:
    if as_json:
        for line in lines:
            print(json.dumps(line.as_json(), ensure_ascii=False))
        return
    from chargebyte_fw.cli.log_view import View

    view = View(sys.stdout, begin)
    for line in lines:
        for shown in view.lines(line):
            print(shown)
