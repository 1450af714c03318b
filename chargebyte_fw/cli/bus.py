"""`secc bus`: show what the modules of a running charger, of this product or of C++ EVerest, send each other."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.broker import add_broker
from chargebyte_fw.cli.table import PIPED_LINE, cut, size
from chargebyte_fw.cli.text import add_root, counted

if TYPE_CHECKING:
    from chargebyte_fw.manager.wire.observing import Seen

EXAMPLES = """examples:
  secc bus                                     every variable, command, result and error, as it comes
  secc bus connector                           of one module
  secc bus connector.evse --kind variable      of one implementation, variables alone
  secc bus --name powermeter --json            one object a line
  secc bus --interface power_supply_DC --config bsp-only-dc
"""
KINDS = ("variable", "command", "result", "error", "cleared", "garbage")
_SIGNS = {"variable": "=", "command": "<-", "result": "->", "error": "!", "cleared": "ok", "garbage": "?"}
WAITING_LIMIT = 10_000
"""Messages that wait to be shown; a terminal that is slower loses the newest, and they are counted."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "bus",
        help="show what the modules send each other",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument(
        "of", nargs="*", metavar="MODULE[.IMPLEMENTATION]", help="show these alone, by their ids in the configuration"
    )
    parser.add_argument(
        "--name", action="append", default=[], metavar="NAME", help="variables, commands, errors of this name alone"
    )
    parser.add_argument("--kind", action="append", default=[], choices=KINDS, help="these alone; may be repeated")
    parser.add_argument(
        "--interface",
        action="append",
        default=[],
        metavar="INTERFACE",
        help="implementations of this interface alone; needs --config",
    )
    parser.add_argument("--config", metavar="FILE", help="the charger's configuration, for --interface")
    parser.add_argument("--count", type=count, default=0, metavar="N", help="end after so many messages")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, nothing shortened")
    add_broker(parser)
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Show until Ctrl-C; exit status 1 without a broker."""
    import asyncio

    wanted = _implementations(arguments) if arguments.interface else None
    return asyncio.run(_show(arguments, wanted))


def _implementations(arguments: argparse.Namespace) -> set[tuple[str, str]]:
    """Return the implementations of the interfaces that are asked for; raises ConfigError."""
    from chargebyte_fw.cli.text import configuration_file
    from chargebyte_fw.kernel.errors import ConfigError, Finding
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.configuration.loading import load

    plans = load(configuration_file(arguments.config, arguments.root), root_at(arguments.root)).require_sound().plans
    provided = {
        (plan.id, name): provision.interface for plan in plans for name, provision in plan.module.provisions.items()
    }
    if unknown := sorted(set(arguments.interface) - set(provided.values())):
        known = ", ".join(sorted(set(provided.values())))
        raise ConfigError([Finding("--interface", f"nothing provides {', '.join(unknown)}", f"known: {known}")])
    return {place for place, interface in provided.items() if interface in arguments.interface}


async def _show(arguments: argparse.Namespace, implementations: set[tuple[str, str]] | None) -> int:
    import asyncio

    from chargebyte_fw.cli.broker import connect, prefix_of, watching_client
    from chargebyte_fw.manager.wire import observing

    prefix = prefix_of(arguments)
    client = watching_client(arguments)
    queue: asyncio.Queue[Seen] = asyncio.Queue(WAITING_LIMIT)
    lost = 0

    def take(topic: str, payload: bytes) -> None:
        nonlocal lost
        seen = observing.read(topic, payload, prefix)
        if seen is None or not _is_wanted(seen, arguments, implementations):
            return
        try:
            queue.put_nowait(seen)
        except asyncio.QueueFull:
            lost += 1

    client.subscribe(f"{prefix}modules/+/impl/#", take)
    await connect(client)
    shown = 0
    try:
        while not arguments.count or shown < arguments.count:
            seen = await queue.get()
            print(_json(seen) if arguments.json else line(seen, size(piped=PIPED_LINE).columns), flush=True)
            shown += 1
            if lost and queue.empty():
                print(f"({counted(lost, 'message')} came faster than they could be shown)", file=sys.stderr)
                lost = 0
    finally:
        await client.stop()
    return 0


def _is_wanted(seen: Seen, arguments: argparse.Namespace, implementations: set[tuple[str, str]] | None) -> bool:
    place = (seen.module, seen.implementation)
    if arguments.of and seen.module not in arguments.of and ".".join(place) not in arguments.of:
        return False
    if implementations is not None and place not in implementations:
        return False
    return (not arguments.name or seen.name in arguments.name) and (not arguments.kind or seen.kind in arguments.kind)


def _json(seen: Seen) -> str:
    import time

    import msgspec

    from chargebyte_fw.kernel.redaction import redact

    return redact(msgspec.json.encode({"time": time.time(), **msgspec.to_builtins(seen)}).decode())


def line(seen: Seen, width: int) -> str:
    """Write a message as one line that fits the terminal, its secrets blanked."""
    import time

    import msgspec

    from chargebyte_fw.kernel.redaction import redact

    clock = time.strftime("%H:%M:%S")
    who = f"{seen.module}.{seen.implementation}"
    content = "" if seen.content is None else redact(msgspec.json.encode(seen.content).decode())
    if seen.kind in ("error", "cleared") and isinstance(seen.content, dict):
        content = redact(f"{seen.content.get('severity', '')} {seen.content.get('message', '')}".strip())
    peer = f" ({seen.peer})" if seen.peer else ""
    text = f"{clock} {who} {_SIGNS[seen.kind]} {seen.name}{peer} {content}".rstrip()
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return cut(text, max(width, 20))
