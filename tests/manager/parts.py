"""Modules for tests of the manager: a pump with a valve, and a user of both."""

from __future__ import annotations

import asyncio
import re
from abc import abstractmethod
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.kernel.contract import Contract, Var
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires, requires_many, requires_optional
from chargebyte_fw.manager.discovery import Found, Installed


class Mode(StrEnum):
    Slow = "Slow"
    Fast = "Fast"


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    litres: float
    note: str | None = None


class Valve(Contract, interface="valve", errors=("generic",)):
    """A valve."""

    position: Var[float]
    """Opening in percent."""
    report: Var[Report]
    opened: Var[None]

    @abstractmethod
    async def turn(self, to: int, mode: Mode) -> Report:
        """Turn the valve."""

    @abstractmethod
    async def close(self) -> None:
        """Close it."""


class Level(Contract, interface="level"):
    """A level gauge."""

    litres: Var[float]


class MainConfig(ModuleConfig):
    name: Annotated[str, Meta(description="What it is called.", min_length=2)] = "valve"


class Main(Valve):
    module: Pump

    async def turn(self, to: int, mode: Mode) -> Report:
        if to > 100:
            raise ValueError("a valve opens to 100 at most")
        await asyncio.sleep(0.01 if mode is Mode.Slow else 0)
        self.position.publish(float(to))
        return Report(litres=to / 2)

    async def close(self) -> None:
        self.opened.publish(None)


class Tank(Level):
    module: Pump


class Pump(Module):
    """Pumps."""

    class Config(ModuleConfig):
        power_W: Annotated[float, Meta(ge=0, le=1000, description="Power, in W.")]
        speed: Annotated[int, Meta(gt=0, description="Speed.")] = 3
        quiet: Annotated[bool, Meta(description="Whisper.")] = False
        mode: Annotated[Mode, Meta(description="How.")] = Mode.Slow
        label: Annotated[str, Meta(pattern="^[a-z]+$", description="Label.")] = "pump"

    config: Config
    main = provides(Main, config=MainConfig)
    tank = provides(Tank)


class User(Module):
    """Uses a pump."""

    valve = requires(Valve)
    spare = requires_optional(Valve)
    levels = requires_many(Level, 2, 3)


class Chain(Module):
    """Passes a level on."""

    out = provides(Tank)
    source = requires_optional(Level)


class Journal(Module):
    """Writes its life into a file; its behaviour is told by the configuration."""

    class Config(ModuleConfig):
        file: Annotated[str, Meta(description="Where to write.")] = "/journal"
        crash_after_s: Annotated[float, Meta(description="Fail after so long; 0: never.")] = 0.0
        hang_on_stop: Annotated[bool, Meta(description="Never come to an end.")] = False
        fail_in: Annotated[str, Meta(description="init or ready: fail there.")] = ""

    config: Config
    out = provides(Tank)
    above = requires_optional(Level)

    def note(self, text: str) -> None:
        with Path(self.runtime.root.write(self.config.file)).open("a") as file:
            file.write(f"{self.id} {text}\n")

    async def init(self) -> None:
        self.note("init")
        if self.config.fail_in == "init":
            raise RuntimeError("on purpose")

    async def ready(self) -> None:
        self.note("ready")
        if self.config.fail_in == "ready":
            raise RuntimeError("on purpose")
        if self.config.crash_after_s:
            self.spawn(self.crash_soon())

    async def crash_soon(self) -> None:
        await asyncio.sleep(self.config.crash_after_s)
        raise RuntimeError("on purpose")

    async def stop(self) -> None:
        self.note("stop")
        if self.config.hang_on_stop:
            await asyncio.sleep(3600)


class Board(Contract, interface="evse_board_support"):
    """Stands for the board's contract; only its name counts here."""

    @abstractmethod
    async def open_contactors(self) -> None: ...


class BoardMain(Board):
    module: BoardJournal

    async def open_contactors(self) -> None:
        self.module.note("contactors open")


class BoardJournal(Journal):
    """A journal with a board."""

    main = provides(BoardMain)


class Kernel(Journal):
    """A journal that commands a board when it stops."""

    bsp = requires(Board)

    async def stop(self) -> None:
        await self.bsp.open_contactors()
        await super().stop()


class Watcher(Journal):
    """A journal of the group that only watches."""

    group = "cloud"


NAMES = ("Pump", "User", "Chain", "Journal", "Watcher")


def installed(*more: Found) -> Installed:
    return Installed([Found(name, "tests 1.0", f"{__name__}:{name}") for name in NAMES] + list(more))


def words_of(finding: Finding) -> str:
    """Return the line of a finding without its number, which tests/manager/test_findings.py has."""
    return re.sub(r" \[C\d{3}\]$", "", str(finding))
