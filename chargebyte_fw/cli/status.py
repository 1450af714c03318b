"""`secc status`: how a charger stands: EVSEs, cars, limits, faults and what to do, modules, links."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.broker import add_broker
from chargebyte_fw.cli.text import add_root

if TYPE_CHECKING:
    from chargebyte_fw.manager.status.model import Status

EXAMPLES = """examples:
  secc status                                   the charger of this machine
  secc status --root . --json                   the one of a checkout, as JSON
  secc status --broker mqtt://192.168.4.2       another machine's, of this product or of C++ EVerest

exit status: 0 the charger is there and may charge, 3 it is there and a fault keeps it from charging or a module is out
of service, 1 it is not there"""
BLOCKED = 3
"""Exit status of a charger that needs a person."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "status",
        help="show how a charger stands",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument("--json", action="store_true", help="everything as JSON")
    add_broker(parser)
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the status; exit status 0, 3 where a person is needed, 1 without a charger."""
    import json
    import sys

    from chargebyte_fw.manager.status.asking import as_json

    status = of(arguments)
    if arguments.json:
        print(json.dumps(as_json(status), indent=2, ensure_ascii=False))
    else:
        from chargebyte_fw.cli.status_view import Look, lines
        from chargebyte_fw.cli.terminal import sign_of_a_cut, size, styled, wants_colour

        width, _ = size(sys.stdout)
        colour = wants_colour(sys.stdout)
        for line in lines(status, Look(width, sign_of_a_cut(sys.stdout))):
            print(styled(line.text, line.style) if colour else line.text)
    return BLOCKED if status.blocked else 0


def of(arguments: argparse.Namespace) -> Status:
    """Return the status of the charger that is meant; raises Unavailable without one."""
    if arguments.broker is None:
        from chargebyte_fw.kernel.paths import root_at
        from chargebyte_fw.manager.status.asking import ask_status

        return ask_status(root_at(arguments.root))
    import asyncio

    return asyncio.run(_over_mqtt(arguments))


async def _over_mqtt(arguments: argparse.Namespace) -> Status:
    from chargebyte_fw.cli.broker import connect, prefix_of, watching_client
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.manager.status.collector import Collector
    from chargebyte_fw.manager.status.listening import listen, settle

    client = watching_client(arguments)
    collector = Collector(str(client.address), prefix_of(arguments))
    listen(client, collector)
    await connect(client)
    try:
        await settle(collector)
    finally:
        await client.stop()
    require_evses(collector.knows_a_charger, collector.source, collector.prefix)
    return collector.status(utc_now())


def require_evses(known: bool, source: str, prefix: str) -> None:
    """Raise Unavailable for a broker on which no charger publishes."""
    from chargebyte_fw.kernel.errors import Unavailable

    if not known:
        raise Unavailable(
            f"no charger publishes on the broker {source}, neither below {prefix}modules nor below everest_api: "
            "is it started, with the module API, and is this its broker?"
        )
