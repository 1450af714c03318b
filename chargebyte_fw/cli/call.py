"""`secc call`: have a module of a running charger carry out one command."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from chargebyte_fw.cli.broker import add_broker
from chargebyte_fw.cli.text import add_root

EXAMPLES = """examples:
  secc call connector.evse get_evse
  secc call connector pause_charging
  secc call grid_connection_point.external_limits set_external_limits '{"value": {...}}'
  secc call auth.main set_connection_timeout '{"connection_timeout": 60}' --broker mqtt://192.168.4.2

Without --broker the charger of this machine is asked, over its control socket. With it the command goes over MQTT as
EVerest's modules send it, also to C++ EVerest; a charger of this product takes it if --wire-commands-from names the
origin."""
ANSWER_LIMIT_S = 60.0


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "call",
        help="have a module carry out one command",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    parser.add_argument("of", metavar="MODULE[.IMPLEMENTATION]", help="ids of the configuration")
    parser.add_argument("command_name", metavar="COMMAND", help="as the interface names it")
    parser.add_argument("arguments", nargs="?", default="{}", metavar="JSON", help="its arguments (default: {})")
    parser.add_argument("--origin", default="manager", help="with --broker: the module that calls (default: manager)")
    parser.add_argument("--json", action="store_true", help="the whole answer as JSON")
    add_broker(parser)
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Call and print the result; exit status 1 for what fails, 2 for what is no command."""
    try:
        given = json.loads(arguments.arguments)
    except ValueError as error:
        print(f"secc call: the arguments are no JSON: {error}", file=sys.stderr)
        return 2
    if not isinstance(given, dict):
        print('secc call: the arguments are no object: write {"NAME": VALUE, ...}', file=sys.stderr)
        return 2
    if arguments.broker is not None:
        if "." not in arguments.of:
            print("secc call: with --broker the implementation must be named: MODULE.IMPLEMENTATION", file=sys.stderr)
            return 2
        import asyncio

        answer = asyncio.run(_over_mqtt(arguments, given))
    else:
        from chargebyte_fw.kernel.paths import root_at
        from chargebyte_fw.manager.control import ask

        request = {"do": "call", "of": arguments.of, "command": arguments.command_name, "arguments": given}
        answer = ask(root_at(arguments.root), request)
    if arguments.json:
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    elif "error" not in answer:
        print(json.dumps(answer["result"], indent=2, ensure_ascii=False))
    else:
        print(f"secc call: {_reason(answer)}", file=sys.stderr)
    return 1 if "error" in answer else 0


def _reason(answer: dict[str, Any]) -> str:
    text = str(answer["error"])
    if answer.get("kind"):
        text = f"{answer['kind']}: {text}"
    if answer.get("nearest"):
        return f"{text} (did you mean {answer['nearest']}?)"
    return f"{text} (known: {', '.join(answer['known'])})" if answer.get("known") else text


async def _over_mqtt(arguments: argparse.Namespace, given: dict[str, Any]) -> dict[str, Any]:
    """Call as a module of EVerest does; returns the result or the reason."""
    import asyncio
    from uuid import uuid4

    import msgspec

    from chargebyte_fw.cli.broker import connect, prefix_of, watching_client
    from chargebyte_fw.kernel.errors import CommandError
    from chargebyte_fw.manager.wire import envelope

    module_id, _, implementation = arguments.of.partition(".")
    topic = f"{prefix_of(arguments)}modules/{module_id}/impl/{implementation}/cmd/{arguments.command_name}"
    call_id = str(uuid4())
    client = watching_client(arguments)
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def take(_topic: str, payload: bytes) -> None:
        try:
            of, value = envelope.read_result(payload)
        except msgspec.MsgspecError:
            return
        if of == call_id and not answered.done():
            answered.set_result(value)

    client.subscribe(f"{topic}/response/{arguments.origin}", take)
    await connect(client)
    try:
        client.publish(topic, envelope.call(call_id, arguments.origin, given), qos=2)
        async with asyncio.timeout(ANSWER_LIMIT_S):
            value = await answered
    except TimeoutError:
        return {
            "error": f"no answer within {ANSWER_LIMIT_S:.0f} s: nothing runs there, or it takes no commands from here"
        }
    finally:
        await client.stop()
    if isinstance(value, CommandError):
        return {"error": value.message, "kind": value.kind}
    return {"result": value}
