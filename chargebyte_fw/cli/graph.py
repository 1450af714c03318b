"""`secc graph`: draw the modules of a configuration and their connections, or one state machine, as Mermaid."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.text import add_programs, add_root, configuration_file

if TYPE_CHECKING:
    from chargebyte_fw.manager.plan import ModulePlan

EXAMPLES = """examples:
  secc graph bsp-only-dc                 the modules of a configuration; shown by every viewer of Mermaid
  secc graph --of connector              one module and what it is connected to
  secc graph --machines                  names of the state machines
  secc graph --machine Reconnect         one of them"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "graph",
        help="draw modules and connections, or a state machine",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument("file", nargs="?", help="the configuration (default: /etc/everest/config.yaml below the root)")
    parser.add_argument("--of", metavar="MODULE", help="this module and its connections alone")
    parser.add_argument("--machine", metavar="NAME", help="draw this state machine instead")
    parser.add_argument("--machines", action="store_true", help="list the state machines")
    add_programs(parser)
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the drawing; exit status 78 for a wrong configuration, 2 for a name that is not there."""
    if arguments.machines or arguments.machine is not None:
        return _machines(arguments.machine)
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.configuration.loading import load

    path = configuration_file(arguments.file, arguments.root)
    plans = load(path, root_at(arguments.root), programs=arguments.program).require_sound().plans
    if arguments.of is not None:
        if arguments.of not in (known := [plan.id for plan in plans]):
            return _unknown("module", arguments.of, known)
        plans = [plan for plan in plans if arguments.of in (plan.id, *_ends(plan))]
    print(mermaid(plans, arguments.of), end="")
    return 0


def _machines(name: str | None) -> int:
    from chargebyte_fw.cli.graph_machines import house, machines
    from chargebyte_fw.cli.table import table
    from chargebyte_fw.kernel import diagram

    found = {kind.__name__: kind for kind in machines()}
    if name is None:
        print(table(("machine", "house"), [[one, house(kind)] for one, kind in sorted(found.items())]))
        return 0
    if name not in found:
        return _unknown("state machine", name, list(found))
    print(diagram.mermaid(found[name]), end="")
    return 0


def _unknown(what: str, given: str, known: Sequence[str]) -> int:
    from chargebyte_fw.kernel.names import nearest

    hint = nearest(given, known) or f"known: {', '.join(known)}"
    print(f"secc graph: there is no {what} {given} ({hint})", file=sys.stderr)
    return 2


def _ends(plan: ModulePlan) -> list[str]:
    return [end.module_id for ends in plan.connections.values() for end in ends]


def mermaid(plans: Sequence[ModulePlan], of: str | None = None) -> str:
    """Return the flow chart: a box for each module, an arrow from who uses to who provides, with the interface."""
    lines = ["flowchart LR"]
    ids = [plan.id for plan in plans]
    ids += [end for plan in plans for end in _ends(plan) if end not in ids and of in (None, plan.id)]
    names = {name: f"m{number}" for number, name in enumerate(dict.fromkeys(ids))}
    kinds = {plan.id: plan.module for plan in plans}
    for module_id, name in names.items():
        kind = kinds.get(module_id)
        box = f"{module_id}<br>{kind.module_name()}" if kind is not None else module_id
        program = kind is not None and kind.is_program
        lines.append(f'    {name}[["{box}"]]' if program else f'    {name}["{box}"]')
    for plan in plans:
        for requirement, ends in plan.connections.items():
            interface = next(
                (one.interface for each, one in plan.module.requirements.items() if requirement in (each, one.id)), ""
            )
            for end in ends:
                if of in (None, plan.id, end.module_id):
                    label = f"{requirement}: {interface}" if interface else requirement
                    lines.append(f'    {names[plan.id]} -- "{label}" --> {names[end.module_id]}')
    return "\n".join(lines) + "\n"
