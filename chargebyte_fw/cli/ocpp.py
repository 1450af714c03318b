"""`secc ocpp`: the connection of the running charger to its CSMS: status, variables, queue, and messages by hand."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.table import pairs, table
from chargebyte_fw.cli.text import add_root, counted

EXAMPLES = """examples:
  secc ocpp status                                       connected or not, since when not and why
  secc ocpp variables Heartbeat                          variables whose name has this text
  secc ocpp get OCPPCommCtrlr.HeartbeatInterval
  secc ocpp set OCPPCommCtrlr.HeartbeatInterval 60
  secc ocpp queue                                        messages that wait for the CSMS
  secc ocpp priority 1 on                                priority charging, as the driver at EVSE 1 wishes (2.1)
  secc ocpp send DataTransfer '{"vendorId": "com.example"}'
"""
_LABELS = {
    "state": "state",
    "url": "CSMS",
    "identity": "identity",
    "slot": "slot",
    "security_profile": "security profile",
    "version": "version",
    "registration": "registration",
    "last_reason": "last disconnect",
    "next_attempt_in_s": "next attempt in s",
    "messages": "messages that wait",
    "oldest_message": "oldest of them",
}


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "ocpp",
        help="look at the connection to the CSMS",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
    )
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    _add(whats, "status", "show how the connection stands", _show_status, "")
    variables = _add(whats, "variables", "list the variables of the device model", _show_variables, "Heartbeat")
    variables.add_argument("filter", nargs="?", default="", metavar="TEXT", help="only names with this text")
    get = _add(whats, "get", "show one variable", _show_variable, "OCPPCommCtrlr.HeartbeatInterval")
    get.add_argument("name", metavar="NAME", help="Component.Variable, as `variables` lists it")
    example = "OCPPCommCtrlr.HeartbeatInterval 60"
    changed = _add(whats, "set", "set one variable, as the CSMS may", _show_variable, example)
    changed.add_argument("name", metavar="NAME", help="Component.Variable, as `variables` lists it")
    changed.add_argument("value", metavar="VALUE", help="its new value")
    _add(whats, "queue", "list the messages that wait for the CSMS", _show_queue, "")
    priority = _add(whats, "priority", "switch priority charging of a transaction", _show_priority, "1 on")
    priority.add_argument("evse", type=count, metavar="EVSE", help="number of the EVSE")
    priority.add_argument("wish", choices=("on", "off"), help="begin or end it")
    example = 'DataTransfer \'{"vendorId": "com.example"}\''
    send = _add(whats, "send", "send a message to the CSMS and show its answer", _show_answer, example)
    send.add_argument("action", metavar="ACTION", help="as the standard names it: DataTransfer, Heartbeat, ...")
    send.add_argument("payload", nargs="?", default="{}", metavar="JSON", help="its payload (default: {})")


def _add(whats: Any, name: str, help: str, show: Any, example: str) -> argparse.ArgumentParser:
    examples = [f"secc ocpp {name} {example}".rstrip()]
    parser: argparse.ArgumentParser = whats.add_parser(name, help=help, description=help, examples=examples)
    parser.add_argument("--json", action="store_true", help="the answer as JSON")
    add_root(parser)
    parser.set_defaults(run=run, show=show)
    return parser


def run(arguments: argparse.Namespace) -> int:
    """Ask the running charger; exit status 1 for what it refuses."""
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.control import ask

    request: dict[str, Any] = {"do": "ocpp", "what": arguments.what}
    for name in ("filter", "name", "value", "action", "evse", "wish"):
        if hasattr(arguments, name):
            request[name] = getattr(arguments, name)
    if arguments.what == "send":
        try:
            request["payload"] = json.loads(arguments.payload)
        except json.JSONDecodeError as error:
            print(f"secc ocpp send: the payload is no JSON: {error}", file=sys.stderr)
            return 2
    answer = ask(root_at(arguments.root), request)
    if "error" in answer:
        reason = answer["error"]
        if reason == "a request that this charger does not know":
            reason = "no OCPP module is in the configuration of this charger"
        print(f"secc ocpp: {reason}", file=sys.stderr)
        return 1
    print(json.dumps(answer, indent=2, ensure_ascii=False) if arguments.json else arguments.show(answer))
    return 0


def _text(value: Any) -> str:
    if value is None or value == "":
        return "-"
    return f"{value:.0f}" if isinstance(value, float) else str(value)


def _show_status(answer: dict[str, Any]) -> str:
    status = answer["status"]
    return pairs([(label, _text(status.get(name))) for name, label in _LABELS.items()])


def _show_variables(answer: dict[str, Any]) -> str:
    rows = [[one["name"], one["value"], one["unit"], one["meaning"]] for one in answer["variables"]]
    if not rows:
        hint = f" (did you mean {answer['nearest']}?)" if answer.get("nearest") else ""
        return f"no variable has this text in its name{hint}"
    return table(("variable", "value", "unit", "meaning"), rows) + f"\n{counted(len(rows), 'variable')}"


def _show_variable(answer: dict[str, Any]) -> str:
    status = f"  ({answer['status']})" if "status" in answer else ""
    return f"{answer['name']} = {_text(answer['value'])}{status}"


def _show_queue(answer: dict[str, Any]) -> str:
    if not answer["queue"]:
        return "no message waits"
    rows = [
        [
            one["action"],
            one["queued"],
            str(one["attempts"]),
            one["transaction"] or "-",
            "sent, no answer yet" if one["outstanding"] else "waits",
        ]
        for one in answer["queue"]
    ]
    head = ("message", "queued", "attempts", "transaction", "state")
    return table(head, rows) + f"\n{counted(len(rows), 'message')}"


def _show_priority(answer: dict[str, Any]) -> str:
    return f"EVSE {answer['evse']}: priority charging {'begins' if answer['priority'] else 'ends'}"


def _show_answer(answer: dict[str, Any]) -> str:
    if "refused" in answer:
        return f"{answer['action']} was refused: {answer['refused']} {answer['description']}".rstrip()
    return json.dumps(answer["answer"], indent=2, ensure_ascii=False)
