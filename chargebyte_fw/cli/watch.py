"""`secc watch`: how a charger stands, live: a screen with keys, or a line for each change."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.broker import add_broker
from chargebyte_fw.cli.text import add_root

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from chargebyte_fw.cli.watch_view import Output
    from chargebyte_fw.manager.status.model import Status

EXAMPLES = """examples:
  secc watch                                    the charger of this machine; q quits, ? lists the keys
  secc watch --root .                           the one of a checkout
  secc watch --json                             the status, then one JSON object for each change
  secc watch --broker mqtt://192.168.4.2        another machine's, of this product or of C++ EVerest"""
LEAST_EVERY_S, LONGEST_EVERY_S = 0.2, 3600.0


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "watch",
        help="show live how a charger stands",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument("--json", action="store_true", help="the status as one JSON object, then one for each change")
    parser.add_argument(
        "--every", type=_seconds, default=1.0, metavar="S", help="look so often, in s; 0.2 at least (default: 1)"
    )
    parser.add_argument("--count", type=int, default=0, metavar="N", help="end after so many changes, for scripts")
    add_broker(parser)
    add_root(parser)
    parser.set_defaults(run=run)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds") from None
    if not LEAST_EVERY_S <= value <= LONGEST_EVERY_S:
        raise argparse.ArgumentTypeError(f"{text} s: from {LEAST_EVERY_S:g} to {LONGEST_EVERY_S:g} s")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Show until `q` or Ctrl-C; exit status 1 without a charger at the beginning."""
    import asyncio

    return asyncio.run(_watch(arguments))


async def _watch(arguments: argparse.Namespace) -> int:
    from chargebyte_fw.cli.watch_view import JsonLines, Screen, TextLines

    if arguments.json:
        output: Output = JsonLines(sys.stdout, arguments.count)
    elif sys.stdout.isatty() and not arguments.count:
        output = Screen(sys.stdin, sys.stdout)
    else:
        output = TextLines(sys.stdout, arguments.count)
    pictures = _local(arguments) if arguments.broker is None else _over_mqtt(arguments)
    # The first one before anything is drawn: a charger that is not there is a line.
    first = await anext(pictures)
    await output.show(first, pictures)
    return 0


async def _local(arguments: argparse.Namespace) -> AsyncIterator[Status | str]:
    """Yield the status again and again, the reason in place of one that is not there."""
    import asyncio

    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.status.asking import ask_status, ask_status_soon

    root = root_at(arguments.root)
    yield ask_status(root)
    while True:
        await asyncio.sleep(arguments.every)
        try:
            status: Status | str = await ask_status_soon(root)
        except Unavailable as error:
            status = str(error)
        yield status


async def _over_mqtt(arguments: argparse.Namespace) -> AsyncIterator[Status | str]:
    import asyncio

    from chargebyte_fw.cli.broker import connect, prefix_of, watching_client
    from chargebyte_fw.cli.status import require_evses
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.manager.status.collector import SILENT_S, Collector
    from chargebyte_fw.manager.status.listening import listen, settle

    client = watching_client(arguments)
    loop = asyncio.get_running_loop()
    collector = Collector(str(client.address), prefix_of(arguments))
    last_s = loop.time()

    def taken() -> None:
        nonlocal last_s
        last_s = loop.time()

    listen(client, collector, taken)
    await connect(client)
    try:
        await settle(collector)
        require_evses(collector.knows_a_charger, collector.source, collector.prefix)
        lost = ""
        while True:
            was_lost = bool(lost)
            if not client.online:
                lost = f"the broker {collector.source} is not reached; it is tried again"
            elif loop.time() - last_s > SILENT_S:
                lost = f"the charger has published nothing for {loop.time() - last_s:.0f} s"
            elif was_lost:
                # It is back: its first messages are no picture yet.
                await settle(collector)
                lost = ""
            if not lost and not collector.knows_a_charger:
                lost = "the charger publishes nothing any more"
            yield lost or collector.status(utc_now())
            await asyncio.sleep(arguments.every)
    finally:
        await client.stop()
