"""`secc hil run | list | check`: the rig's part of the command line (entry point group `chargebyte_fw.commands`)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hil.rig import Rig
    from hil.scenario import Scenario

EXAMPLE = "example: secc hil run --all --rig sim --report report.html"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands of `secc hil`."""
    parser.description = (
        "Bring a charger into a state, do something to it, and see whether it reacts rightly and in time."
    )
    parser.epilog = EXAMPLE
    commands = parser.add_subparsers(dest="hil_command", metavar="COMMAND", required=True)

    run_parser = commands.add_parser("run", help="run scenarios", epilog=EXAMPLE)
    run_parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help="names as in `secc hil list`; * matches")
    run_parser.add_argument("--all", action="store_true", help="run every scenario")
    run_parser.add_argument("--report", type=Path, metavar="OUT.html", help="write a report that needs no other file")
    run_parser.add_argument(
        "--realtime", action="store_true", help="rig sim: on the real clock in place of the virtual one"
    )
    _add_rig(run_parser)
    run_parser.add_argument(
        "--root", type=Path, default=None, metavar="DIR", help="where etc/everest is (default: this checkout, or /)"
    )
    run_parser.set_defaults(run=run)

    list_parser = commands.add_parser("list", help="list scenarios and what they need")
    list_parser.add_argument("--events", action="store_true", help="list what a scenario can do and look at instead")
    _add_rig(list_parser)
    list_parser.set_defaults(run=show_list)

    check_parser = commands.add_parser("check", help="check rig files and scenarios")
    check_parser.add_argument("file", nargs="*", metavar="FILE", help="rigs by name or path (default: all of hil/rigs)")
    check_parser.set_defaults(run=check)


def _add_rig(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rig", default="sim", metavar="R", help="a file, or its short name in hil/rigs (default: sim)"
    )


def default_root() -> Path:
    """Return the checkout that this package is in, or the machine's own root."""
    checkout = Path(__file__).resolve().parents[1]
    return checkout if (checkout / "etc/everest").is_dir() else Path("/")


def chosen(scenarios: list[Scenario], names: list[str]) -> list[Scenario]:
    """Return the scenarios that the names mean; raises ConfigError for a name that means none."""
    from fnmatch import fnmatch

    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.manager.configuration.report import nearest

    wrong = [name for name in names if not any(fnmatch(one.name, name) for one in scenarios)]
    if wrong:
        known = [one.name for one in scenarios]
        hints = [Finding("SCENARIO", f"there is no scenario {name}", nearest(name, known)) for name in wrong]
        raise ConfigError(hints)
    return [one for one in scenarios if not names or any(fnmatch(one.name, name) for name in names)]


def run(arguments: argparse.Namespace) -> int:
    """Run scenarios; exit status 1 if a reaction was wrong or late or the rig failed, 78 for a wrong rig file."""
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from hil import rig, runner, scenario

    if bool(arguments.scenario) is arguments.all:
        raise ConfigError([Finding("SCENARIO", "name scenarios or say --all", "secc hil list shows them")])
    bench = rig.load(rig.rig_file(arguments.rig))
    scenarios = chosen(scenario.load_all(), arguments.scenario)
    root = (arguments.root or default_root()).resolve()
    virtual = bench.clock == "virtual" and not arguments.realtime
    view = _view(bench, scenarios)
    with view:
        results = clock.run(runner.run(bench, scenarios, root, view.watching), speed=None if virtual else 1.0)
    if arguments.report is not None:
        from hil.report import page

        arguments.report.parent.mkdir(parents=True, exist_ok=True)
        arguments.report.write_text(page(bench, results), "utf-8")
        print(f"report: {arguments.report}")
    return 1 if any(result.verdict.bad for result in results) else 0


def _view(bench: Rig, scenarios: list[Scenario]) -> LiveView | LineView:
    import sys

    from hil.live import LineView, LiveView

    if sys.stdout.isatty():
        return LiveView(bench, scenarios)
    return LineView(bench, scenarios)


def show_list(arguments: argparse.Namespace) -> int:
    """Print every scenario, and whether the rig has what it needs."""
    from chargebyte_fw.cli.text import table
    from hil import rig, scenario
    from hil.conditions import FORMS
    from hil.events import HELP
    from hil.recorder import SIGNALS

    if arguments.events:
        print(table(["event", "what happens"], [[form, what] for form, what in HELP.items()]))
        print()
        rows = [[name, ", ".join(FORMS[kind])] for name, kind in SIGNALS.items()]
        print(table(["signal", "what can be said of it"], rows))
        return 0
    features = rig.load(rig.rig_file(arguments.rig)).features
    rows = []
    for one in scenario.load_all():
        missing = sorted(one.needs - features)
        judged = sum(len(step.expect) + len(step.keep) for step in one.steps)
        rows.append([one.name, one.title, str(judged), f"no {', '.join(missing)}" if missing else ""])
    print(table(["scenario", "what happens", "judged", f"not on {arguments.rig}"], rows))
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Print every finding in rig files and scenarios; exit status 78 if one of them stops a run."""
    from chargebyte_fw.manager.configuration.report import Report
    from hil import rig, scenario

    report = Report()
    files = [rig.rig_file(name) for name in arguments.file] or sorted(rig.FOLDER.glob("*.yaml"))
    for path in files:
        one = rig.check(path, report)
        if one is not None:
            print(
                f"{path}: {len(one.resources)} resources, {len(one.drivers)} drivers: {', '.join(sorted(one.features))}"
            )
    found = [scenario.load(path, report) for path in sorted(scenario.FOLDER.glob("*.yaml"))]
    print(f"{scenario.FOLDER}: {sum(1 for one in found if one is not None)} scenarios")
    for finding in report.findings:
        print(finding)
    return 78 if report.failed else 0


if TYPE_CHECKING:
    from hil.live import LineView, LiveView
