"""`python -m chargebyte_fw.sim.board`: a safety controller alone, with its flash and its boot loader.

It stands on a pseudo-terminal `DIR/dev/ttyLP2` with the two lines that start the boot loader, until SIGTERM or
Ctrl-C. Its flash is kept in DIR, so that a power cut in the middle can be tried. `--image FILE` writes a
firmware file that it takes, and ends.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
from pathlib import Path

from chargebyte_fw.board.flash.messages import Command
from chargebyte_fw.board.flash.parameters import only_contactor
from chargebyte_fw.board.link.messages.charge_som import Platform
from chargebyte_fw.board.params import layout
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.clock import loop_speed, run
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.sim.bootloader import Trouble
from chargebyte_fw.sim.chip import CODE, DATA, Chip, firmware_image
from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_port import McuOnPty, McuOnWire
from chargebyte_fw.sim.pilot import Pilot

UART = "/dev/ttyLP2"
RESET_LINE = "nSAFETY_RESET_INT"
MODE_LINE = "SAFETY_BOOTMODE_SET"
CHIP_FOLDER = "chip"
PLATFORMS = {"charge-som": Platform.CHARGE_SOM, "charge-control-y": Platform.CHARGE_CONTROL_Y}


def chip_in(folder: Path) -> Chip:
    """Return the chip that is kept in `folder`; a new one has firmware 0.4.1 and a block for one contactor."""
    chip = Chip(folder)
    if not (folder / "code-flash.bin").exists():
        chip.put(CODE, firmware_image())
        chip.put(DATA, layout.encode(only_contactor(), 1))
        chip.save()
    return chip


def power_cut(text: str) -> Trouble:
    """Read when the power of a controller goes: percent of the writing, `erase` or `verify`; raises ValueError."""
    work = {"erase": Command.ERASE, "verify": Command.READ}.get(text)
    if work is not None:
        return Trouble(power_fails_at=0.5, power_fails_while=work)
    percent = float(text)
    if not 0 <= percent <= 100:
        raise ValueError(text)
    return Trouble(power_fails_at=percent / 100)


def on_wires(
    wires: Wires, chip: Chip, trouble: Trouble | None = None, *, uart: str = UART, reset: str = RESET_LINE,
    mode: str = MODE_LINE,
) -> McuOnWire:  # fmt: skip
    """Put a controller at the end of wires in memory; call it inside a running loop."""
    ours, theirs = memory.wire()
    mcu = McuOnWire(VirtualMcu(Pilot(), None, loop_speed()), theirs, chip, trouble)
    wires.plug(f"serial:{uart}", ours)
    wires.plug(f"gpio:{reset}", mcu.reset_line)
    wires.plug(f"gpio:{mode}", mcu.mode_line)
    return mcu


class BoardOnPty:
    """A controller on a pseudo-terminal below `root`, with its lines."""

    def __init__(self, root: Path, chip: Chip, trouble: Trouble | None = None) -> None:
        self.mcu = McuOnPty(VirtualMcu(Pilot(), None, loop_speed()), root / UART.lstrip("/"), chip, trouble)
        self._lines = [
            SimulatedLine(root, RESET_LINE, self.mcu.reset_line),
            SimulatedLine(root, MODE_LINE, self.mcu.mode_line),
        ]

    def close(self) -> None:
        """Take it away."""
        for line in self._lines:
            line.close()
        self.mcu.close()


def parser() -> argparse.ArgumentParser:
    """Return the command line's description."""
    result = argparse.ArgumentParser(
        prog="python -m chargebyte_fw.sim.board",
        description=(__doc__ or "").split("\n\n")[1],
        epilog="example: python -m chargebyte_fw.sim.board --root /tmp/b & secc mcu flash new.bin --root /tmp/b",
    )
    result.add_argument("--root", type=Path, metavar="DIR", help="where the pseudo-terminal, lines and flash are")
    result.add_argument(
        "--power-cut",
        type=power_cut,
        default=Trouble(),
        metavar="WHEN",
        help="the power goes once: PERCENT of the writing, or in the middle of erase or verify",
    )
    result.add_argument("--image", type=Path, metavar="FILE", help="write a firmware file to try with")
    result.add_argument("--version", default="0.5.0", metavar="X.Y.Z", help="of that file (default: 0.5.0)")
    result.add_argument("--platform", choices=tuple(PLATFORMS), default="charge-som", help="of that file")
    result.add_argument("--parameter-version", type=int, default=1, metavar="N", help="that it needs (default: 1)")
    return result


async def _serve(root: Path, trouble: Trouble) -> None:
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, over.set)
    board = BoardOnPty(root, chip_in(root / CHIP_FOLDER), trouble)
    try:
        print(f"the safety controller is at {root / UART.lstrip('/')}; try: secc mcu info --root {root}", flush=True)
        await over.wait()
    finally:
        board.close()


def main() -> int:
    """Serve until a signal, or write an image."""
    arguments = parser().parse_args()
    if arguments.image is not None:
        major, minor, build = (int(number) for number in arguments.version.split("."))
        platform = PLATFORMS[arguments.platform]
        arguments.image.write_bytes(firmware_image((major, minor, build), platform, arguments.parameter_version))
        return 0
    if arguments.root is None:
        parser().error("--root or --image is needed")
    with contextlib.suppress(KeyboardInterrupt):
        run(_serve(arguments.root.resolve(), arguments.power_cut))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
