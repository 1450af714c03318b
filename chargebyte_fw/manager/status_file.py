"""The status of this process for `secc selftest` and `secc version`: one small JSON file."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import msgspec

from chargebyte_fw.kernel.decoding import decode_json
from chargebyte_fw.kernel.faults import Fault, Faults
from chargebyte_fw.kernel.paths import Root

PLACE = "/run/everest/standing.json"
LOOK_S = 1.0


class Status(msgspec.Struct):
    """Content of the file."""

    pid: int = 0
    ready: bool = False
    configuration: str = ""
    modules: dict[str, str] = msgspec.field(default_factory=dict)
    """Module names by id."""
    faults: list[str] = msgspec.field(default_factory=list)
    """Active faults, as `module: type message`."""
    groups: dict[str, str] = msgspec.field(default_factory=dict)
    """With process groups: the state of each process, by its name or the id of the program."""
    notices: list[str] = msgspec.field(default_factory=list)
    """What was set aside at the start."""
    about: dict[str, str] = msgspec.field(default_factory=dict)
    """What modules know of their devices (attribute `about` of a module): `safety controller` and its firmware."""
    broker: str = ""
    """Its address; empty without one."""
    on_broker: bool = False


class StatusFile:
    """Keeps the file up to date; a file that cannot be written is ignored, as charging does not depend on it."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self.now = Status(os.getpid())

    async def keep(self, status: Callable[[], dict[str, Any]]) -> None:
        """Write what `status` returns whenever it has changed."""
        while True:
            present = status()
            if any(getattr(self.now, name) != value for name, value in present.items()):
                self.write(**present)
            await asyncio.sleep(LOOK_S)

    def watch(self, books: list[Faults]) -> None:
        """Follow the faults of these implementations."""

        def changed(_: Fault) -> None:
            self.now.faults = [line_of(fault) for book in books for fault in book.active]
            self.write()

        for book in books:
            book.subscribe(changed, changed)

    def write(self, **changes: Any) -> None:
        """Change and write."""
        for name, value in changes.items():
            setattr(self.now, name, value)
        try:
            target = self._root.write(PLACE)
            beside = target.with_suffix(".new")
            beside.write_bytes(msgspec.json.encode(self.now))
            beside.replace(target)
        except OSError:
            return

    def remove(self) -> None:
        """Remove the file."""
        try:
            self._root.write(PLACE).unlink(missing_ok=True)
        except OSError:
            return


def read(root: Root) -> Status | None:
    """Return the status of the charger of this root, None when none runs or its file cannot be read."""
    try:
        status = decode_json(root.read(PLACE).read_bytes(), Status)
        os.kill(status.pid, 0)
    except PermissionError:
        return status
    except (OSError, msgspec.DecodeError):
        return None
    return status


def line_of(fault: Fault) -> str:
    """Return a fault as it is in the file."""
    return f"{fault.origin.module_id}: {fault.type} {fault.message}".strip()
