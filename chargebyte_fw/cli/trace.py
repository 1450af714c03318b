"""`secc trace`: what the black box recorded (frames, commands, facts, faults): save, show, export, play again."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.outputs import output_file, writing
from chargebyte_fw.cli.table import Column, paragraph, table
from chargebyte_fw.cli.text import add_root, counted

if TYPE_CHECKING:
    from chargebyte_fw.kernel.replay import Outcome
    from chargebyte_fw.manager.recording import Recording

EXAMPLES = """examples:
  secc trace save                             ask the running charger for its trace (as SIGUSR1 does)
  secc trace show --kind v2g --last 20        the newest trace
  secc trace show --kind event --kind effect  inputs and decisions of the charging state machine
  secc trace show FILE --from 81 --to 83.5 --text CableCheck
  secc trace export FILE --pcap out.pcap      for tshark and Wireshark
  secc trace replay FILE                      the recorded inputs, once more through this version's machines
  secc trace replay FILE --accept             what they do now is right, and FILE is a test of it
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "trace",
        help="save, show, export and replay recorded traces",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    listed = _add(whats, "list", "list the saved traces", _list, "", file=False)
    save = _add(
        whats, "save", "ask the running charger to save its trace", _save, "--why 'car did not start'", file=False
    )
    save.add_argument("--why", default="request", metavar="TEXT", help="goes into the file and its name")
    example = "--kind v2g --from 81 --to 83.5 --text CableCheck"
    show = _add(whats, "show", "show a trace as a timeline", _show, example, "--last 20")
    show.add_argument(
        "--kind",
        action="append",
        metavar="KIND",
        help="only uart, slac, sdp, v2g, can, cmd, var, fault, state, event, effect ...",
    )
    show.add_argument("--source", metavar="TEXT", help="only sources that hold this text")
    show.add_argument("--text", metavar="TEXT", help="only lines that hold this text, in any case")
    show.add_argument("--from", dest="from_s", type=float, metavar="S", help="only from this second on")
    show.add_argument("--to", dest="to_s", type=float, metavar="S", help="only up to this second")
    show.add_argument("--last", type=count, metavar="N", help="only the last N entries")
    show.add_argument("--full", action="store_true", help="all of an entry, on as many lines as it needs")
    show.add_argument("--wall", action="store_true", help="times of day (UTC) in place of seconds")
    show.add_argument("--json", action="store_true", help="one JSON object a line; bytes in hex")
    export = _add(whats, "export", "write a trace for other programs", _export, "FILE --pcap out.pcap", "--json -")
    export.add_argument(
        "--pcap", type=output_file, metavar="OUT", help="SLAC, SDP and V2G as Ethernet frames (- is stdout)"
    )
    export.add_argument(
        "--json", type=output_file, metavar="OUT", help="every entry as one JSON object a line (- is stdout)"
    )
    replay = _add(
        whats, "replay", "play the inputs again and compare the outputs", _replay, "FILE", "FILE --only v2g --json"
    )
    replay.add_argument("--only", choices=("board", "slac", "v2g", "evse", "power"), help="only this part")
    replay.add_argument(
        "--accept", action="store_true", help="what comes now is right: the file is a test of it from now on"
    )
    for one in (listed, save, replay):
        one.add_argument("--json", action="store_true", help="print as JSON")


def _add(whats: Any, name: str, help: str, run: Any, *examples: str, file: bool = True) -> argparse.ArgumentParser:
    lines = [f"secc trace {name} {line}".rstrip() for line in examples]
    parser: argparse.ArgumentParser = whats.add_parser(name, help=help, description=help, examples=lines)
    if file:
        parser.add_argument("file", nargs="?", type=Path, metavar="FILE", help="the trace (default: the newest)")
    add_root(parser)
    parser.set_defaults(run=run)
    return parser


def _list(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.recording import files

    saved = files(root_at(arguments.root))
    if arguments.json:
        rows = [{"file": str(path), "bytes": path.stat().st_size} for path in saved]
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    if not saved:
        print("no trace is saved", file=sys.stderr)
        return 0
    for folder in dict.fromkeys(path.parent for path in saved):
        print(paragraph(f"in {folder}:"))
        there = [[path.name, str(path.stat().st_size)] for path in saved if path.parent == folder]
        print(table(["trace", Column("bytes", right=True)], there))
    return 0


def _save(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.control import ask

    answer = ask(root_at(arguments.root), {"do": "save trace", "why": arguments.why})
    if "error" in answer:
        print(f"secc: {answer['error']}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
        return 0
    print(f"trace of {counted(answer['entries'], 'entry')} saved to {answer['file']}")
    return 0


def _opened(arguments: argparse.Namespace) -> Recording | None:
    """Read the file; print what is wrong with it."""
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.recording import files, read

    path: Path | None = arguments.file
    if path is None:
        saved = files(root_at(arguments.root))
        if not saved:
            print("secc: no trace is saved; `secc trace save` asks the running charger for one", file=sys.stderr)
            return None
        path = saved[-1]
    try:
        recording = read(path)
    except ValueError as error:
        print(f"secc: {error}", file=sys.stderr)
        return None
    if recording.remark:
        print(f"secc: {recording.remark}", file=sys.stderr)
    return recording


def _show(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.trace_view import Timeline

    recording = _opened(arguments)
    if recording is None:
        return 1
    if wrong := _wrong_filter(arguments, recording):
        print(f"secc trace show: {wrong}", file=sys.stderr)
        return 2
    timeline = Timeline(recording.entries, wall=arguments.wall)
    text = (arguments.text or "").lower()
    lines = []
    # Frames are read in the order of the wire, whatever is shown: what a conversation agreed on counts for the rest.
    for entry in recording.entries:
        t_s, kind, source, _ = entry
        shown = timeline.read(entry)
        if arguments.kind and kind not in arguments.kind:
            continue
        if kind == "trace" and not arguments.kind and (arguments.source or text or arguments.last):
            continue
        if (arguments.source or "") not in source:
            continue
        if t_s < (arguments.from_s or 0.0) or (arguments.to_s is not None and t_s > arguments.to_s):
            continue
        if text and text not in f"{kind} {source} {shown}".lower():
            continue
        lines.append((entry, shown))
    for entry, shown in lines[-arguments.last :] if arguments.last else lines:
        print(timeline.as_json(entry, shown) if arguments.json else timeline.line(entry, shown, full=arguments.full))
    if not lines:
        print("secc trace show: no entry is like that", file=sys.stderr)
    return 0


def _wrong_filter(arguments: argparse.Namespace, recording: Recording) -> str:
    """Return what no entry of the trace has, with what is nearest; empty where each filter can match."""
    from chargebyte_fw.kernel.names import nearest

    kinds = sorted({kind for _, kind, _, _ in recording.entries})
    for kind in arguments.kind or ():
        if kind not in kinds:
            return f"no entry is of kind {kind} ({nearest(kind, kinds) or 'kinds: ' + ', '.join(kinds)})"
    sources = sorted({source for _, _, source, _ in recording.entries})
    if arguments.source and not any(arguments.source in source for source in sources):
        hint = nearest(arguments.source, sources)
        return f"no source holds {arguments.source}" + (f" ({hint})" if hint else "")
    return ""


def _export(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.trace_pcap import write_pcap
    from chargebyte_fw.cli.trace_view import Timeline

    if arguments.pcap is None and arguments.json is None:
        print("secc: --pcap OUT or --json OUT is needed", file=sys.stderr)
        return 2
    recording = _opened(arguments)
    if recording is None:
        return 1
    output = sys.stderr if Path("-") in (arguments.pcap, arguments.json) else sys.stdout
    if arguments.pcap is not None:
        with writing(arguments.pcap):
            packets = write_pcap(recording.entries, arguments.pcap)
        print(f"{counted(packets, 'packet')} written to {arguments.pcap}", file=output)
    if arguments.json is not None:
        with writing(arguments.json):
            number = Timeline(recording.entries).write_json(recording.entries, arguments.json)
        print(f"{counted(number, 'entry')} written to {arguments.json}", file=output)
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.trace_replay import accepted, is_wanted, play

    if arguments.accept and (arguments.only or arguments.file is None):
        print("secc: --accept needs FILE, and all of its parts", file=sys.stderr)
        return 2
    recording = _opened(arguments)
    if recording is None:
        return 1
    outcomes = play(recording.entries, arguments.only)
    if not outcomes:
        print("secc: nothing in this trace can be played: no beginning of a machine is in it", file=sys.stderr)
        return 1
    wanted = accepted(recording.entries)
    if arguments.json:
        print(json.dumps([_plain(outcome, is_wanted(outcome, wanted)) for outcome in outcomes], indent=2))
    else:
        for outcome in outcomes:
            _print_outcome(outcome, wanted)
    if arguments.accept:
        return _accept(arguments.file, recording, outcomes)
    return 0 if all(is_wanted(outcome, wanted) for outcome in outcomes) else 1


def _print_outcome(outcome: Outcome, wanted: dict[str, str]) -> None:
    from chargebyte_fw.cli.trace_replay import is_wanted

    verdict = outcome.remark or ("differs" if outcome.difference else "the same")
    if wanted.get(outcome.what) and not outcome.remark:
        verdict += ", as accepted" if is_wanted(outcome, wanted) else ", which is not what was accepted"
    counts = f"{counted(outcome.inputs, 'input')}, {counted(outcome.outputs, 'output')} compared"
    print(paragraph(f"{outcome.what}: {counts}: {verdict}"))
    if outcome.difference:
        print(paragraph(f"  first difference at {outcome.difference}"))


def _plain(outcome: Outcome, is_right: bool) -> dict[str, Any]:
    return {
        "part": outcome.what,
        "inputs": outcome.inputs,
        "outputs": outcome.outputs,
        "as_wanted": is_right,
        "remark": outcome.remark,
        "difference": str(outcome.difference) if outcome.difference else None,
    }


def _accept(path: Path, recording: Recording, outcomes: list[Outcome]) -> int:
    from chargebyte_fw.cli.trace_replay import accept

    if recording.remark or any(outcome.remark for outcome in outcomes):
        print("secc: what is damaged, or cannot be played, cannot be accepted", file=sys.stderr)
        return 1
    with writing(path):
        accept(path, recording.entries, outcomes)
    print(f"accepted: what {path} leads to now is what it should lead to")
    return 0
