"""What `secc mcu` shows: the progress bar, and the controller's data in words."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from chargebyte_fw.board.flash.image import Info
    from chargebyte_fw.board.flash.programmer import Chip, Running

WORDS = {
    "erase": "erasing",
    "write": "writing",
    "verify": "verifying",
    "read": "reading",
    "read parameters": "reading parameters",
}
FRAME_COLUMNS = 47
MARKER = 0xCAFEBABE
_SIZES = {"9": "128 kB", "7": "64 kB", "5": "32 kB"}
_RANGES = {"2": "-40 to 85 °C", "3": "-40 to 105 °C"}
_GRADES = {"C": "industrial", "D": "consumer"}


class Bar:
    """Progress on standard error: a bar on a terminal, otherwise a line for each step that is done."""

    def __init__(self) -> None:
        self._rich: Any = None
        self._task: Any = None
        self._what = ""

    def __enter__(self) -> Self:
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that so many bytes of so many are done."""
        words = WORDS.get(what)
        if words is None:
            return
        if not sys.stderr.isatty():
            if done == total and total:
                print(f"{words}: {total} bytes", file=sys.stderr)
            return
        if self._rich is None:
            self._start()
        if self._rich is None:
            end = "\n" if done == total else ""
            print(f"\r{words}: {done} of {total} bytes", end=end, file=sys.stderr, flush=True)
            return
        if what != self._what or done == 0:
            self._what = what
            self._task = self._rich.add_task(words, total=total)
        self._rich.update(self._task, completed=done)

    def _start(self) -> None:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
        except ImportError:
            return
        columns = (TextColumn("{task.description:<20}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._rich = Progress(*columns, console=Console(stderr=True))
        self._rich.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._rich is not None:
            self._rich.stop()


def info_text(info: Info | None, title: str, *, valid: bool) -> str:
    """Lay out an information block line by line as `ra-update fw-info` does: scripts compare lines 3 to 8."""
    head = f"==[ {title} ]".ljust(FRAME_COLUMNS, "=")
    foot = f"[ {'VALID' if valid else 'INVALID'} ]==".rjust(FRAME_COLUMNS, "=")
    return "\n".join([head, rows(info_rows(info)) if info is not None else "no firmware", foot])


def info_rows(info: Info) -> list[tuple[str, str]]:
    """Return an information block as text, with the labels and the order of `ra-update fw-info`."""
    return [
        ("Start Magic Pattern", f"0x{MARKER:08x}"),
        ("Firmware Size", f"{info.size} (0x{info.size:0{8 if info.size > 0xFFFF else 4}x})"),
        ("Firmware Checksum (CRC32)", f"0x{info.crc:08x}"),
        ("Firmware Version", info.version_text),
        ("Firmware Platform Type", f"{info.platform.text} (0x{info.platform.value:02x})"),
        ("Firmware Application Type", f"{info.application.text} (0x{info.application.value:02x})"),
        ("Git Hash", info.git_text),
        ("Parameter Block Version", str(info.parameter_version)),
        ("End Magic Pattern", f"0x{MARKER:08x}"),
    ]


def info_json(info: Info | None) -> dict[str, Any] | None:
    """Return the same as plain data."""
    if info is None:
        return None
    return {
        "size": info.size,
        "crc32": f"0x{info.crc:08x}",
        "version": info.version_text,
        "platform": info.platform.text,
        "application": info.application.text,
        "git_hash": info.git_text,
        "parameter_version": info.parameter_version,
    }


def running_json(running: Running | None) -> dict[str, Any] | None:
    """Return the application's description of itself as plain data."""
    if running is None:
        return None
    firmware = running.firmware
    return {
        "version": ".".join(str(number) for number in firmware.version),
        "platform": firmware.platform.text,
        "application": firmware.application.text,
        "git_hash": running.git_hash.text if running.git_hash else None,
        "parameter_version": firmware.parameter_version,
        "part_number": running.part_number or None,
    }


def part_number_text(part_number: str) -> str:
    """Return the meaning of a part number: memory, temperature range, grade."""
    if not part_number.startswith("R7FA2E1A") or len(part_number) < 11:
        return part_number
    parts = (_SIZES.get(part_number[8]), _RANGES.get(part_number[9]), _GRADES.get(part_number[10]))
    return f"{part_number} ({', '.join(part for part in parts if part)})"


def rows(lines: list[tuple[str, str]]) -> str:
    """Lay out names and values."""
    width = max(len(name) for name, _ in lines) + 1
    return "\n".join(f"{name + ':':<{width}} {value}" for name, value in lines)


def chip_text(chip: Chip) -> str:
    """Lay out the boot loader's description of the chip, with the labels of `ra-update chipinfo`."""
    signature = chip.signature
    lines = [
        f"SCI Operating Clock Frequency [Hz]: {signature.clock_Hz}",
        f"Recommended Maximum UART Baudrate [bps]: {signature.max_baud}",
        f"Number of Recordable Areas: {signature.areas}",
        f"Type Code: 0x{signature.kind:x}",
        f"Boot Firmware Version: {signature.loader_major}.{signature.loader_minor}",
    ]
    for number, area in enumerate(chip.areas):
        lines += [
            "",
            f"== Area {number} ({area.kind.name.lower()}) ==",
            f"Start Address: 0x{area.start:08x}",
            f"End Address: 0x{area.end:08x}",
            f"  => Size: {area.size} (0x{area.size:08x})",
            f"Erase Access Unit [bytes]: {area.erase_unit} (0x{area.erase_unit:08x})",
            f"Write Access Unit [bytes]: {area.write_unit} (0x{area.write_unit:08x})",
        ]
    return "\n".join(lines)


def chip_json(chip: Chip) -> dict[str, Any]:
    """Return the same as plain data."""
    areas = [
        {
            "kind": area.kind.name.lower(),
            "start": area.start,
            "end": area.end,
            "size": area.size,
            "erase_unit": area.erase_unit,
            "write_unit": area.write_unit,
        }
        for area in chip.areas
    ]
    return {**chip.signature._asdict(), "areas": areas}
