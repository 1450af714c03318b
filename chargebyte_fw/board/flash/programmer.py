"""What can be done to a safety controller from outside: lines, boot loader, flash areas, asking who it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from chargebyte_fw.board.flash import events as loader
from chargebyte_fw.board.flash import timing
from chargebyte_fw.board.flash.image import INFO_AT, INFO_BYTES, Info, check_size, read_info
from chargebyte_fw.board.flash.link import LoaderLink, Port, ask
from chargebyte_fw.board.flash.messages import Area, AreaKind, Signature
from chargebyte_fw.board.gpio import Output, take_output
from chargebyte_fw.board.link.messages.charge_som import (
    ChipInfo,
    FirmwareVersion,
    GitHash,
    PartNumber1,
    PartNumber2,
    Platform,
)
from chargebyte_fw.board.link.messages.generations import LAST_WITHOUT_PART_NUMBER
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.runtime import Runtime

HANDSHAKES = 3
"""How often the controller is reset into its boot loader before its silence counts."""
AREA_LIMIT = 16
COMPATIBLE = "/proc/device-tree/compatible"
_PLATFORM_OF = {"charge-som": Platform.CHARGE_SOM, "charge-control-y": Platform.CHARGE_CONTROL_Y}
_PROCESSOR = "imx93-"
"""In a compatible string it may stand before the board's name, and a carrier's name after it."""

Report = Callable[[str, int, int], None]
"""Called with what is being done, and how many bytes of how many are done."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """How the controller is connected."""

    uart: str = "/dev/ttyLP2"
    gpiochip: str | None = None
    """Chip device of both lines; None: whichever chip has lines of these names."""
    reset_line: str = "nSAFETY_RESET_INT"
    """Active low."""
    mode_line: str = "SAFETY_BOOTMODE_SET"
    """Low while the reset line is released: the boot loader starts."""
    reset_hold_s: float = timing.RESET_HOLD_S


@dataclass(frozen=True, slots=True)
class Chip:
    """The chip, as the boot loader describes it."""

    signature: Signature
    areas: tuple[Area, ...]

    def area(self, kind: AreaKind) -> Area:
        """Return the area of that kind; raises PeerError when the chip has none."""
        for area in self.areas:
            if area.kind == kind:
                return area
        raise PeerError(loader.CLAUSE, f"the chip has no {kind.name.lower()} flash")


@dataclass(frozen=True, slots=True)
class Running:
    """The running application, as it identifies itself."""

    firmware: FirmwareVersion
    git_hash: GitHash | None = None
    part_number: str = ""
    chip_version: int | None = None

    @property
    def text(self) -> str:
        """The firmware in one line."""
        version = ".".join(str(number) for number in self.firmware.version)
        git = f"g{self.git_hash.text}" if self.git_hash else "no git hash"
        kind = f"{self.firmware.platform.text}, {self.firmware.application.text}"
        return f"{version} ({git}, {kind}, parameter version {self.firmware.parameter_version})"

    def is_of(self, info: Info) -> bool:
        """Whether this is the firmware of that image."""
        ours = (info.version, info.platform, info.application, info.parameter_version)
        running = self.firmware
        same = ours == (running.version, running.platform, running.application, running.parameter_version)
        return same and (self.git_hash is None or self.git_hash.text == info.git_text)


class Programmer:
    """Owns UART and lines from `async with` to its end; leaves the controller as the last call left it."""

    def __init__(self, runtime: Runtime, wiring: Wiring, log: ModuleLog, report: Report = lambda *_: None) -> None:
        self.wiring = wiring
        self.chip: Chip | None = None
        """Known while the boot loader runs."""
        self._runtime = runtime
        self._log = log
        self._report = report
        wire = runtime.wires.find(f"serial:{wiring.uart}")
        self.port = Port(runtime.root.read(wiring.uart), wire, runtime.trace)
        self._reset: Output | None = None
        self._mode: Output | None = None
        self._link: LoaderLink | None = None
        self._doing = ("", 0)

    async def __aenter__(self) -> Self:
        # The port first: whoever holds it holds the lines as well, and is named only by the port's lock.
        self.port.open()
        chip = Path(self.wiring.gpiochip) if self.wiring.gpiochip else None
        try:
            self._mode = take_output(self._runtime, self.wiring.mode_line, chip, self._log)
            self._reset = take_output(self._runtime, self.wiring.reset_line, chip, self._log)
        except BaseException:
            self._close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._hang_up()
        self.port.close()
        for line in (self._reset, self._mode):
            if line is not None:
                line.close()

    def _hang_up(self) -> None:
        self.chip = None
        if self._link is not None:
            self._link.close()
            self._link = None

    async def _start(self, *, boot_loader: bool) -> None:
        assert self._reset is not None and self._mode is not None
        self._log.debug("reset into the %s", "boot loader" if boot_loader else "application")
        self._hang_up()
        self._reset.set(False)
        self._mode.set(not boot_loader)
        try:
            await asyncio.sleep(self.wiring.reset_hold_s)
        finally:
            self._reset.set(True)

    async def hold(self) -> None:
        """Hold the controller in reset until cancelled; then it starts its application."""
        assert self._reset is not None and self._mode is not None
        self._hang_up()
        self._mode.set(True)
        self._reset.set(False)
        try:
            await asyncio.Event().wait()
        finally:
            self._reset.set(True)

    async def application(self) -> None:
        """Reset the controller into its application and wait until it is ready."""
        await self._start(boot_loader=False)
        await asyncio.sleep(timing.READY_AFTER_RESET_S)

    async def reset_into_boot_loader(self) -> None:
        """Reset the controller into its boot loader and leave it there, unspoken to."""
        await self._start(boot_loader=True)

    @asynccontextmanager
    async def in_boot_loader(self) -> AsyncIterator[Chip]:
        """Run the boot loader for the block below; whatever happens there, the application is started after it."""
        try:
            yield await self.boot_loader()
        finally:
            await self.application()

    async def boot_loader(self) -> Chip:
        """Reset the controller into its boot loader, shake hands, ask what the chip is."""
        for left in reversed(range(HANDSHAKES)):
            await self._start(boot_loader=True)
            self._link = link = LoaderLink(self.port, self._progress)
            try:
                await link.do(loader.Begin())
                break
            except (loader.Silent, PeerError) as error:
                if not left or isinstance(error, loader.Refused):
                    raise
                self._log.debug("%s; once more", error)
        signature: Signature = await link.do(loader.AskSignature())
        if not 1 <= signature.areas <= AREA_LIMIT:
            raise PeerError(loader.CLAUSE, f"the chip claims to have {signature.areas} areas")
        areas = [await link.do(loader.AskArea(number)) for number in range(signature.areas)]
        self.chip = Chip(signature, tuple(areas))
        self._log.debug("boot loader %d.%d, %d areas", signature.loader_major, signature.loader_minor, len(areas))
        return self.chip

    def _progress(self, done: int) -> None:
        what, total = self._doing
        self._report(what, done, total)

    async def _do(self, what: str, total: int, order: loader.Erase | loader.Write | loader.Read) -> bytes | None:
        assert self._link is not None, "the boot loader is not running"
        self._doing = (what, total)
        self._report(what, 0, total)
        result: bytes | None = await self._link.do(order)
        if isinstance(order, loader.Erase):
            self._report(what, total, total)
        return result

    async def erase(self, area: Area) -> None:
        """Erase a whole area."""
        await self._do("erase", area.size, loader.Erase(area.start, area.end))

    async def read(self, area: Area, offset: int = 0, length: int | None = None, what: str = "read") -> bytes:
        """Read an area or a part of it."""
        length = area.size - offset if length is None else length
        return await self._do(what, length, loader.Read(area.start + offset, length)) or b""

    async def write(self, area: Area, data: bytes, *, verify: bool = True) -> None:
        """Erase an area, write it from its start and compare; raises BadImage, PeerError, Unavailable."""
        check_size(len(data), area.size, area.write_unit)
        await self.erase(area)
        await self._do("write", len(data), loader.Write(area.start, data))
        if verify:
            there = await self.read(area, 0, len(data), "verify")
            if there != data:
                at = next(i for i, (wanted, found) in enumerate(zip(data, there, strict=True)) if wanted != found)
                what = f"the flash reads 0x{there[at]:02X} at 0x{area.start + at:X} where 0x{data[at]:02X} was written"
                raise PeerError(loader.CLAUSE, what)

    async def info(self) -> Info | None:
        """Read the information block out of the code flash; None when there is no firmware."""
        assert self.chip is not None, "the boot loader is not running"
        return read_info(await self.read(self.chip.area(AreaKind.CODE), INFO_AT, INFO_BYTES, "info"))

    async def running(self) -> Running | None:
        """Ask the application who it is; None when nothing answers."""
        self._hang_up()
        if self._reset is not None:
            self._reset.set(True)
        firmware = await ask(self.port, FirmwareVersion)
        if not isinstance(firmware, FirmwareVersion):
            return None
        part, chip_version = "", None
        if firmware.version > LAST_WITHOUT_PART_NUMBER:
            halves = [await ask(self.port, kind) for kind in (PartNumber1, PartNumber2)]
            if all(halves):
                raw = b"".join(half.payload() for half in halves if half is not None)
                part = raw.decode("ascii", errors="replace").strip("\0 ")
            chip = await ask(self.port, ChipInfo)
            chip_version = chip.mcu_version if isinstance(chip, ChipInfo) else None
        git = await ask(self.port, GitHash)
        return Running(firmware, git if isinstance(git, GitHash) else None, part, chip_version)

    def platform_of_board(self) -> Platform | None:
        """Return the platform that the device tree names; None when it names none of ours."""
        try:
            words = self._runtime.root.read(COMPATIBLE).read_bytes().decode(errors="replace").split("\0")
        except OSError:
            return None
        for word in words:
            name = (word.partition(",")[2] or word).removeprefix(_PROCESSOR)
            for board, platform in _PLATFORM_OF.items():
                if name == board or name.startswith(f"{board}-"):
                    return platform
        return None
