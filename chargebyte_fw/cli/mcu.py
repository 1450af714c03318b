"""`secc mcu`: the safety controller on the bench: reset, look, flash, parameter blocks, monitor, update at boot."""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from chargebyte_fw import VERSION
from chargebyte_fw.cli import mcu_options
from chargebyte_fw.cli.outputs import output_file

EXAMPLES = """examples:
  secc mcu flash chargesom_fw_v_00_04_01.bin --stop-stack
  secc mcu -a data dump | secc mcu params dump
  secc mcu params write my-parameters.yaml
  secc mcu monitor

without a board, on a virtual one whose flash is kept in /tmp/b:
  python -m chargebyte_fw.sim.board --image /tmp/new.bin --version 0.5.0
  secc mcu flash /tmp/new.bin --sim /tmp/b
  secc mcu flash /tmp/new.bin --sim /tmp/b --sim-power-cut 50
or on one in another process, over a real pseudo-terminal:
  python -m chargebyte_fw.sim.board --root /tmp/c &
  secc mcu info --root /tmp/c
"""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    common = mcu_options.common()
    parser = subparsers.add_parser(
        "mcu",
        help="flash and look after the safety controller",
        description=__doc__.partition(": ")[2],
        epilog=EXAMPLES,
        parents=[common],
    )
    _add_area(parser, "for flash, erase, dump")
    parser.add_argument("--version", action="version", version=f"secc {VERSION}", help=argparse.SUPPRESS)
    parser.set_defaults(run=run)
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(name: str, what: str, help_text: str, *examples: str, aliases: tuple[str, ...] = ()) -> Any:
        made = commands.add_parser(
            name,
            help=help_text,
            description=help_text,
            parents=[common],
            aliases=aliases,
            examples=[f"secc mcu {line}" for line in examples],
        )
        made.set_defaults(do=what)
        return made

    add("reset", "mcu_flash.reset", "reset the controller into its application", "reset --stop-stack")
    hold = "hold the controller in reset until Ctrl-C"
    add("hold", "mcu_flash.hold", hold, "hold --stop-stack", aliases=("hold-in-reset",))
    boot = "reset the controller into its boot loader and leave it there"
    add("bootloader", "mcu_flash.boot_loader", boot, "bootloader --stop-stack")
    about = "show a firmware file, or what is flashed and runs"
    info = add("info", "mcu_flash.info", about, "info", "info new_fw.bin --json", aliases=("fw-info", "fw_info"))
    info.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a firmware file (default: the controller)")
    chip = add("chipinfo", "mcu_flash.chip_info", "show what the boot loader says of the chip", "chipinfo --stop-stack")
    for one in (info, chip):
        one.add_argument("--json", action="store_true", help="print as JSON")
    flash = add(
        "flash",
        "mcu_flash.flash",
        "flash a firmware file (area data: a parameter block)",
        "flash chargesom_fw_v_00_04_01.bin --stop-stack",
        "flash new_fw.bin --migrate-parameters",
        "flash -a data block.bin",
    )
    flash.add_argument("file", type=Path, metavar="FILE", help="the firmware, or with area data the block")
    flash.add_argument("-N", "--no-verify", action="store_true", help="do not read back and compare")
    flash.add_argument(
        "--platform", choices=tuple(mcu_options.PLATFORMS), help="which board this is (default: it says)"
    )
    flash.add_argument(
        "--migrate-parameters",
        action="store_true",
        help="bring the parameter block to the version that the new firmware needs",
    )
    flash.add_argument("--force", action="store_true", help="area data: write whatever version the firmware needs")
    flash.set_defaults(version=None, leave_out=False)
    erase = add("erase", "mcu_flash.erase", "erase the code flash, or the data flash", "erase -a data")
    what = "write the content of the flash to a file or standard output"
    dump = add("dump", "mcu_flash.dump", what, "dump code.bin", "dump -a data | secc mcu params dump")
    dump.add_argument(
        "file", nargs="?", type=output_file, metavar="FILE", help="the file to write (default: standard output)"
    )
    for one in (flash, erase, dump):
        _add_area(one, "default: code")
    what = "bring the controller to the firmware of the system, at boot"
    update = add("auto-update", "mcu_flash.auto_update", what, "auto-update --folder /usr/share/ra-utils")
    update.add_argument("--folder", type=Path, metavar="DIR", help="where the one *_fw_*.bin is (/usr/share/ra-utils)")
    what = "show and control a running controller with single keys (as ra-raw)"
    monitor = add("monitor", "mcu_monitor.run", what, "monitor --stop-stack", "monitor --no-reset --can-mirror vcan0")
    monitor.add_argument("-S", "--sync", action="store_true", help="wait for a frame of the controller at first")
    monitor.add_argument("-D", "--no-dump", action="store_true", help="do not show each frame")
    monitor.add_argument("-C", "--no-charge-control", action="store_true", help="do not send ChargeControl by itself")
    monitor.add_argument("-R", "--no-reset", action="store_true", help="do not reset the controller at first")
    monitor.add_argument("-M", "--can-mirror", metavar="IF", default="", help="copy each frame to a CAN interface")
    _add_params(commands, common)


def _add_area(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument(
        "-a", "--flash-area", type=str.lower, choices=("code", "data"), default=argparse.SUPPRESS, help=text
    )


def _add_params(commands: Any, common: argparse.ArgumentParser) -> None:
    help_text = "parameter blocks: create, dump, check, write"
    quiet = argparse.ArgumentParser(add_help=False)
    mcu_options.add_version(quiet)
    examples = ["secc mcu params check my-parameters.yaml", "secc mcu params write my-parameters.yaml"]
    params = commands.add_parser("params", help=help_text, description=help_text, examples=examples)
    actions = params.add_subparsers(dest="params_action", metavar="ACTION", required=True)

    def add(name: str, help_text: str, *examples: str, parent: argparse.ArgumentParser = quiet) -> Any:
        made = actions.add_parser(
            name,
            help=help_text,
            description=help_text,
            parents=[parent],
            examples=[f"secc mcu params {line}" for line in examples],
        )
        made.set_defaults(do=f"mcu_params.{name}")
        return made

    create = add(
        "create", "make a block of a YAML file", "create my.yaml -o my.bin", "create my.yaml --version 1 >my.bin"
    )
    create.add_argument("source", nargs="?", metavar="IN", help="YAML; - is standard input")
    create.add_argument("-i", "--infile", metavar="IN", help="the same, as of ra-pb-create")
    create.add_argument("-o", "--outfile", type=output_file, metavar="OUT", help="the block (default: standard output)")
    create.add_argument("-D", "--debug", action="store_true", help="show where each value goes, on standard error")
    create.add_argument("--version-from-yaml", dest="version", action="store_const", const=None, help="the default")
    dump = add("dump", "show a block as YAML", "dump my.bin", "dump --device --stop-stack >my.yaml", parent=common)
    dump.add_argument("file", nargs="?", metavar="FILE", help="the block (default: standard input)")
    dump.add_argument("--device", action="store_true", help="the block in the controller")
    check = add("check", "report what is wrong with a YAML file or a block", "check my.yaml", "check my.bin --json")
    check.add_argument("file", metavar="FILE", help="YAML or a block; - is standard input")
    check.add_argument("--json", action="store_true", help="print as JSON")
    what = "write a YAML file or a block into the controller"
    write = add("write", what, "write my.yaml --stop-stack", "write my.bin --force", parent=common)
    write.add_argument("file", metavar="FILE", help="YAML or a block; - is standard input")
    write.add_argument("--force", action="store_true", help="do not ask the firmware which version it needs")
    for one in (create, check, write):
        one.add_argument(
            "--version", "--version-override", type=int, choices=(0, 1, 2), metavar="N",
            help="0 (unversioned), 1 or 2 (default: what the controller needs, which write asks for; else as the file "
            "says, else 2)",
        )  # fmt: skip
        one.add_argument(
            "--leave-out",
            action="store_true",
            help="leave out what this version does not have (default: that is an error)",
        )


def run(arguments: argparse.Namespace) -> int:
    """Run the command; exit status 1 when it failed, 78 when a parameter file is wrong."""
    from chargebyte_fw.board.flash.image import BadImage
    from chargebyte_fw.board.params.layout import BadBlock
    from chargebyte_fw.cli.mcu_bench import note
    from chargebyte_fw.kernel.errors import PeerError, Unavailable

    mcu_options.settle(arguments)
    module, _, name = arguments.do.partition(".")
    try:
        status: int = getattr(importlib.import_module(f"chargebyte_fw.cli.{module}"), name)(arguments)
    except (BadImage, BadBlock, PeerError, Unavailable) as error:
        note(str(error))
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.filename is None:
            raise  # of standard output: `main` has the words
        note(f"{error.filename}: {error.strerror}")
        return 1
    return status
