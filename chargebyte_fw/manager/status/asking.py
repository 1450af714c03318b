"""Ask the charger of this machine for its status: what `secc status`, logs and reports have in common."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.control import SOCKET, NoCharger, ask, ask_soon
from chargebyte_fw.manager.status.collector import Collector
from chargebyte_fw.manager.status.model import Status

ANSWER_LIMIT_S = 5.0
REQUEST = {"do": "status"}


def ask_status(root: Root, limit_s: float = ANSWER_LIMIT_S) -> Status:
    """Return the status of the charger that runs below this root; raises Unavailable without one."""
    try:
        answer = ask(root, REQUEST, limit_s)
    except NoCharger as error:
        raise NoCharger(f"{error}: start it, or name its root with --root, or its broker with --broker") from None
    return _read(answer, root)


async def ask_status_soon(root: Root, limit_s: float = ANSWER_LIMIT_S) -> Status:
    """Do the same without blocking the event loop."""
    return _read(await ask_soon(root, REQUEST, SOCKET, limit_s), root)


def _read(answer: dict[str, Any], root: Root) -> Status:
    path = root.state / SOCKET.lstrip("/")
    if "error" in answer:
        raise Unavailable(f"the charger at {path} reports no status: {answer['error']}")
    collector = Collector(str(path))
    try:
        collector.take_answer(answer)
    except ValueError as error:
        raise Unavailable(f"the charger at {path} is of another version than this command: {error}") from None
    return collector.status(utc_now())


def as_json(status: Status) -> dict[str, Any]:
    """Return a status as `secc status --json` prints it."""
    plain: dict[str, Any] = msgspec.to_builtins(status)
    return plain
