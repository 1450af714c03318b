"""`secc hil run | list | check`: the rig's part of the command line (entry point group `chargebyte_fw.commands`)."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from chargebyte_fw.cli.arguments import positive
from chargebyte_fw.cli.outputs import output_file_in_new_folders, write_text
from chargebyte_fw.cli.text import existing_folder

if TYPE_CHECKING:
    from hil.rig import Rig
    from hil.scenario import Scenario

EXAMPLES = """examples:
  secc hil run --all --report report.html      everything, on rig sim, within seconds
  secc hil run 'iso2-*' --rig desk             the charger's real processes on this machine
  secc hil run din-emergency-stop --rig my-bench.yaml

exit status: 0 every reaction was right and in time; 1 one was wrong or late, the rig failed, or nothing could be run;
78 a rig or scenario file is wrong. Skipped scenarios count for nothing; the report says why each was skipped."""


INTERRUPTED = 130


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `secc hil`."""
    parser.description = (
        "Bring a charger into a state, do something to it, and see whether it reacts rightly and in time."
    )
    parser.epilog = EXAMPLES
    commands = parser.add_subparsers(dest="hil_command", metavar="COMMAND", required=True)

    run_parser = commands.add_parser("run", help="run scenarios", description=parser.description, epilog=EXAMPLES)
    run_parser.add_argument(
        "scenario",
        nargs="*",
        metavar="SCENARIO",
        help="names of scenarios or groups as in `secc hil list` (* matches), or files",
    )
    run_parser.add_argument("--all", action="store_true", help="run every scenario")
    run_parser.add_argument(
        "--report", type=output_file_in_new_folders, metavar="OUT.html", help="write a report that needs no other file"
    )
    run_parser.add_argument(
        "--realtime", action="store_true", help="rig sim: on the real clock in place of the virtual one"
    )
    run_parser.add_argument(
        "--speed",
        type=positive,
        default=1.0,
        metavar="N",
        help="rigs whose processes are all ours (desk): N times faster; a deadline of 100 ms is then one of 100/N ms",
    )
    _add_rig(run_parser)
    run_parser.add_argument(
        "--root",
        type=existing_folder,
        default=None,
        metavar="DIR",
        help="where etc/everest is (default: this checkout, or /)",
    )
    run_parser.set_defaults(run=run)

    what = "list scenarios and what they need"
    list_parser = commands.add_parser(
        "list",
        help=what,
        description=what,
        examples=["secc hil list", "secc hil list --events", "secc hil list --json"],
    )
    list_parser.add_argument("--json", action="store_true", help="print as JSON")
    list_parser.add_argument("--events", action="store_true", help="list what a scenario can do and look at instead")
    _add_rig(list_parser)
    list_parser.set_defaults(run=show_list)

    what = "check rig files and scenarios"
    check_parser = commands.add_parser("check", help=what, description=what, examples=["secc hil check my-bench.yaml"])
    check_parser.add_argument("--json", action="store_true", help="print the findings as JSON")
    check_parser.add_argument(
        "file", nargs="*", metavar="FILE", help="rigs by name or path, scenarios by path (default: all of hil/rigs)"
    )
    check_parser.set_defaults(run=check)


def _add_rig(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rig", default="sim", metavar="R", help="a file, or its short name in hil/rigs (default: sim)"
    )


def default_root() -> Path:
    """Return the checkout that this package is in, or what is shipped with the package, or the machine's own root."""
    from chargebyte_fw.kernel.paths import shipped_at

    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "etc/everest").is_dir() else shipped_at(Path("/"))


def chosen(scenarios: list[Scenario], names: list[str]) -> list[Scenario]:
    """Return the scenarios that the names mean (of scenarios, of groups, or files); raises ConfigError."""
    from fnmatch import fnmatch

    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.kernel.names import nearest
    from chargebyte_fw.manager.configuration.report import Report
    from hil import scenario
    from hil.findings import errors

    report, found, wrong = Report(), [], []
    for name in names:
        if is_file(name):
            one = scenario.load(Path(name), report)
            found += [] if one is None else [one]
            continue
        named = [one for one in scenarios if fnmatch(one.name, name) or one.group == name]
        if not named:
            known = [*(one.name for one in scenarios), *scenario.GROUPS]
            hint = nearest(name, known) or "secc hil list shows them"
            wrong.append(Finding("SCENARIO", f"there is no scenario {name}", hint, number="C501"))
        found += named
    if wrong or errors(report):
        raise ConfigError([*wrong, *report.findings])
    return list({one.name: one for one in found}.values()) if names else scenarios


def is_file(name: str) -> bool:
    """Return whether a person means a file, not a name."""
    return "/" in name or name.endswith((".yaml", ".yml"))


def run(arguments: argparse.Namespace) -> int:
    """Run scenarios; exit status 1 if a reaction was wrong or late, the rig failed or nothing ran, 78 for a wrong file.

    Raises Unavailable with everything that this machine lacks for the rig.
    """
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.kernel.errors import ConfigError, Finding, Unavailable
    from hil import rig, runner, scenario
    from hil.judge import Verdict

    if bool(arguments.scenario) is arguments.all:
        what = "names of scenarios and --all exclude each other" if arguments.all else "name scenarios or say --all"
        raise ConfigError([Finding("SCENARIO", what, "secc hil list shows them", number="C502")])
    bench = rig.load(rig.rig_file(arguments.rig))
    scenarios = chosen(scenario.load_all(), arguments.scenario)
    root = (arguments.root or default_root()).resolve()
    speed = _speed(arguments, bench)
    missing = rig.Assembled(bench).lacking()
    if missing:
        raise Unavailable("\n  ".join([f"rig {bench.name} cannot be used here:", *missing]))
    view = _view(bench, scenarios)
    interrupted = False
    with view:
        try:
            clock.run(runner.run(bench, scenarios, root, view.watching), speed=speed)
        except KeyboardInterrupt:
            interrupted = True  # what was run until now is worth a report
    results = view.results
    if arguments.report is not None:
        from hil.report import page

        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        write_text(arguments.report, page(bench, results))
        print(f"report: {arguments.report}")
    if interrupted:
        return INTERRUPTED
    right = any(result.verdict is Verdict.PASSED for result in results)
    return 0 if right and not any(result.verdict.bad for result in results) else 1


def _speed(arguments: argparse.Namespace, bench: Rig) -> float | None:
    """Return how fast the rig's clock goes, None for a virtual one; raises ConfigError."""
    from chargebyte_fw.kernel.errors import ConfigError, Finding

    if bench.clock == "virtual" and not arguments.realtime:
        return None
    if arguments.speed != 1.0 and not bench.fresh:
        what = f"rig {bench.name} is real: its time does not go faster"
        raise ConfigError([Finding("--speed", what, number="C502")])
    return float(arguments.speed)


def _view(bench: Rig, scenarios: list[Scenario]) -> LiveView | LineView:
    from chargebyte_fw.cli.table import is_plain
    from hil.live import LineView, LiveView

    if not is_plain():
        return LiveView(bench, scenarios)
    return LineView(bench, scenarios)


def show_list(arguments: argparse.Namespace) -> int:
    """Print every scenario, group by group, and whether the rig has what it needs."""
    from chargebyte_fw.cli.table import paragraph, table
    from chargebyte_fw.cli.text import counted
    from hil import rig, scenario
    from hil.conditions import FORMS
    from hil.events import HELP
    from hil.recorder import SIGNALS

    if arguments.json:
        return _show_json(arguments)
    if arguments.events:
        print(table(["event", "what happens"], [[form, what] for form, what in HELP.items()]))
        print()
        rows = [[name, ", ".join(FORMS[kind])] for name, kind in SIGNALS.items()]
        print(table(["signal", "what can be said of it"], rows))
        return 0
    bench = rig.load(rig.rig_file(arguments.rig))
    scenarios = scenario.load_all()
    for group, about in scenario.GROUPS.items():
        print(paragraph(f"{group}: {about}"))
        rows = []
        for one in (one for one in scenarios if one.group == group):
            why = bench.lacks(one)
            note = f"not on {bench.name}: {why}" if why else counted(one.judged, "judgement")
            rows.append([one.name, one.title, note])
        print(table(["scenario", "what happens", ""], rows))
        print()
    able = sum(1 for one in scenarios if not bench.lacks(one))
    print(paragraph(f"rig {bench.name} ({bench.description}) can do {able} of {counted(len(scenarios), 'scenario')}"))
    return 0


def _show_json(arguments: argparse.Namespace) -> int:
    from hil import rig, scenario
    from hil.conditions import FORMS
    from hil.events import HELP
    from hil.recorder import SIGNALS

    if arguments.events:
        signals = {name: list(FORMS[kind]) for name, kind in SIGNALS.items()}
        print(json.dumps({"events": dict(HELP), "signals": signals}, indent=2, ensure_ascii=False))
        return 0
    bench = rig.load(rig.rig_file(arguments.rig))
    rows = [
        {
            "name": one.name,
            "title": one.title,
            "group": one.group,
            "needs": sorted(one.needs),
            "judgements": one.judged,
            "lacking": bench.lacks(one) or None,
        }
        for one in scenario.load_all()
    ]
    print(json.dumps({"rig": bench.name, "scenarios": rows}, indent=2, ensure_ascii=False))
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Print every finding in rig files and scenarios; exit status 78 if one of them stops a run."""
    from chargebyte_fw.cli.table import paragraph
    from chargebyte_fw.cli.text import counted
    from chargebyte_fw.manager.configuration.report import Report
    from hil import rig, scenario
    from hil.findings import errors

    report = Report()
    files = [rig.rig_file(name) for name in arguments.file] or sorted(rig.FOLDER.glob("*.yaml"))
    lines = []
    for path in files:
        if scenario.is_scenario(path):
            one = scenario.load(path, report)
            if one is not None:
                lines.append(
                    f"{path}: {one.title}: {counted(one.judged, 'judgement')}, needs {', '.join(sorted(one.needs))}"
                )
            continue
        bench = rig.check(path, report)
        if bench is not None:
            lines.append(
                f"{path}: {counted(len(bench.resources), 'resource')}, {counted(len(bench.drivers), 'driver')}: "
                f"{', '.join(sorted(bench.features))}"
            )
    found = [scenario.load(path, report) for path in sorted(scenario.FOLDER.glob("*.yaml"))]
    lines.append(f"{scenario.FOLDER}: {counted(sum(1 for one in found if one is not None), 'scenario')}")
    if arguments.json:
        keys = ("where", "severity", "what", "hint", "number")
        rows = [{key: getattr(one, key) for key in keys} for one in report.findings]
        print(json.dumps({"ok": not errors(report), "findings": rows}, indent=2, ensure_ascii=False))
    else:
        print(paragraph("\n".join([*lines, *map(str, report.findings)])))
    return 78 if errors(report) else 0


if TYPE_CHECKING:
    from hil.live import LineView, LiveView
