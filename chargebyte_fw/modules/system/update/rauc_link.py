"""RAUC over D-Bus (`de.pengutronix.rauc`, interface Installer): looks at slots, examines and installs bundles."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import msgspec

from chargebyte_fw.kernel.decoding import convert
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.modules.system.bus_link import Refused, SystemBus
from chargebyte_fw.modules.system.update import timing

SERVICE = "de.pengutronix.rauc"
INSTALLER = "de.pengutronix.rauc.Installer"
CLAUSE = "RAUC"

T = TypeVar("T")
Progress = Callable[[int, str], None]


@dataclass(frozen=True, slots=True)
class Slots:
    """The bootable slots: names as in RAUC's configuration."""

    booted: str
    other: str
    """The one that an installation writes."""
    primary: str
    """The one that the boot loader takes next; empty when it is not known."""
    bad: tuple[str, ...]
    """Those that are not marked good."""


def _fitting(member: str, answer: Any, kind: type[T]) -> T:
    """Return an answer of RAUC as the kind that its interface declares; raises PeerError for anything else."""
    try:
        return cast("T", convert(answer, kind))
    except msgspec.ValidationError as error:
        raise PeerError(CLAUSE, f"what it says with {member} is not as its interface declares: {error}") from error


class BundleRefused(PeerError):
    """The bundle is not for us: signature, damage, compatible."""


class RaucLink:
    """Raises Unavailable while RAUC is not there, PeerError when it refuses."""

    def __init__(self, bus: SystemBus) -> None:
        self._bus = bus

    async def slots(self) -> Slots:
        """Return what is booted and what will be."""
        answer = _fitting("GetSlotStatus", await self._call("GetSlotStatus"), tuple[list[tuple[str, dict[str, Any]]]])
        found = answer[0]
        bootable = {name: status for name, status in found if status.get("bootname")}
        booted = next((name for name, status in bootable.items() if status.get("state") == "booted"), "")
        if not booted:
            raise PeerError(CLAUSE, "no bootable slot is the booted one")
        kind = bootable[booted].get("class")
        others = [name for name, status in bootable.items() if name != booted and status.get("class") == kind]
        if not others:
            raise PeerError(CLAUSE, f"there is no slot beside {booted}")
        bad = tuple(name for name in (booted, *others) if bootable[name].get("boot-status") != "good")
        return Slots(booted, others[0], await self._primary(), bad)

    async def is_busy(self) -> bool:
        """Return whether an installation runs, whoever began it."""
        return str(await self._get("Operation")) != "idle"

    async def until_idle(self) -> None:
        """Wait until no other program installs; raises PeerError when that takes too long."""
        try:
            async with asyncio.timeout(timing.INSTALL_LIMIT_S):
                while await self.is_busy():  # noqa: ASYNC110
                    await asyncio.sleep(timing.IDLE_LOOK_S)
        except TimeoutError as error:
            raise PeerError(CLAUSE, f"busy with another installation for {timing.INSTALL_LIMIT_S:g} s") from error

    async def examine(self, bundle: Path) -> str:
        """Return the bundle's version; raises BundleRefused when it may not be installed here."""
        try:
            answer = await self._call("Info", "s", str(bundle))
        except PeerError as error:
            raise BundleRefused(CLAUSE, error.what) from error
        compatible, version = _fitting("Info", answer, tuple[str, str])
        ours = str(await self._get("Compatible"))
        if compatible != ours:
            raise BundleRefused(CLAUSE, f"the bundle is for {compatible!r}, this is {ours!r}")
        return str(version)

    async def install(self, bundle: Path, on_progress: Progress) -> None:
        """Install and wait for the end; raises PeerError with RAUC's last error, Unavailable when RAUC goes away."""

        async def begin() -> bool:
            await self._call("InstallBundle", "sa{sv}", str(bundle), {})
            return True

        await self._to_the_end(begin, on_progress)

    async def follow(self, on_progress: Progress) -> None:
        """Wait for the end of an installation that runs already; raises as `install`."""
        await self._to_the_end(self.is_busy, on_progress)

    async def _to_the_end(self, begin: Callable[[], Any], on_progress: Progress) -> None:
        ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def on_signal(member: str, body: list[Any]) -> None:
            try:
                if member == "Completed" and not ended.done():
                    ended.set_result(_fitting(member, body, tuple[int])[0])
                elif member == "PropertiesChanged":
                    _, changed, _ = _fitting(member, body, tuple[str, dict[str, Any], list[str]])
                    if (progress := changed.get("Progress")) is not None:
                        percentage, step, _ = _fitting("Progress", progress, tuple[int, str, int])
                        on_progress(percentage, step)
            except PeerError as error:
                if member == "Completed":
                    ended.set_exception(error)

        def lost(why: str) -> None:
            if not ended.done():
                ended.set_exception(Unavailable(why))

        async with self._bus.listening(SERVICE, on_signal, lost):
            if not await begin():
                # It ended before we listened; its last word is still there.
                result = 1 if await self._get("LastError") else 0
            else:
                try:
                    async with asyncio.timeout(timing.INSTALL_LIMIT_S):
                        result = await ended
                except TimeoutError as error:
                    raise PeerError(CLAUSE, f"not finished after {timing.INSTALL_LIMIT_S:g} s") from error
            if result != 0:
                raise PeerError(CLAUSE, str(await self._get("LastError")) or f"it ended with status {result}")

    async def _primary(self) -> str:
        try:
            return _fitting("GetPrimary", await self._call("GetPrimary"), tuple[str])[0]
        except PeerError:
            # The boot loader's environment may be unreadable, or name nothing that can be booted.
            return ""

    async def _call(self, member: str, signature: str = "", *body: Any) -> list[Any]:
        try:
            return await self._bus.call(SERVICE, "/", INSTALLER, member, signature, *body)
        except Refused as error:
            raise PeerError(CLAUSE, str(error)) from error

    async def _get(self, name: str) -> Any:
        try:
            return await self._bus.get(SERVICE, "/", INSTALLER, name)
        except Refused as error:
            raise PeerError(CLAUSE, str(error)) from error
