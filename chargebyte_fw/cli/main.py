"""The command `secc`: every file here with an `add_parser` is a subcommand; heavy imports wait until one runs."""

from __future__ import annotations

import atexit
import contextlib
import errno
import importlib
import io
import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from chargebyte_fw.cli.arguments import Parser
from chargebyte_fw.cli.table import paragraph

if TYPE_CHECKING:
    import argparse

EX_CONFIG = 78
"""Exit status when a configuration is wrong (sysexits.h)."""
INTERRUPTED = 130
"""Exit status after Ctrl-C, as of a shell: 128 and the number of the signal."""
LONG_RUNNING = ("run", "manager", "module")


def command_names() -> list[str]:
    """Return the files of this folder that are subcommands, in alphabetical order."""
    names = []
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.stem not in ("__init__", "main") and "\ndef add_parser(" in path.read_text("utf-8"):
            names.append(path.stem)
    return names


def parser_for(names: Sequence[str]) -> argparse.ArgumentParser:
    """Build the parser with these subcommands."""
    from chargebyte_fw import VERSION

    parser = Parser(prog="secc", description="The firmware of a charge controller: run it, check it, look inside.")
    parser.add_argument("--version", action="version", version=f"secc {VERSION}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in names:
        importlib.import_module(f"chargebyte_fw.cli.{name}").add_parser(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand; exit status 0 done, 1 failed, 2 called wrongly, 78 wrong configuration.

    Whatever happens to a file, a pipe, a device or the terminal is a line, never a traceback.
    """
    _open_missing_streams()
    for stream in (sys.stdout, sys.stderr):
        # A name that is not UTF-8, or a terminal without umlauts: escaped, never a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    arguments = list(sys.argv[1:] if argv is None else argv)
    # The usual start names its subcommand first: then only that one is loaded.
    first = arguments[0] if arguments else ""
    try:
        try:
            status = _run(arguments, first)
        finally:
            # What cannot be printed is noticed here, not by the interpreter at its end.
            sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe.
        _discard_output()
        return 0
    except OSError as error:
        name = _where(error)
        if not name and first in LONG_RUNNING:
            raise  # not of a file: the traceback is worth more than a line
        print(f"secc {first}: {f'{name}: ' if name else ''}{error.strerror or error}", file=sys.stderr)
        return 1
    if argv is None and first == "run":
        _leave(status)
    return status


def _run(arguments: Sequence[str], first: str) -> int:
    names = [first] if first in command_names() else command_names()
    parsed = parser_for(names).parse_args(arguments)
    from chargebyte_fw.kernel.errors import ConfigError, Unavailable
    from chargebyte_fw.kernel.extras import MissingPackage
    from chargebyte_fw.kernel.extras import missing as missing_package

    try:
        status: int | None = parsed.run(parsed)
    except ConfigError as error:
        print(paragraph(str(error), sys.stderr), file=sys.stderr)
        return EX_CONFIG
    except Unavailable as error:
        print(paragraph(f"secc: {error}", sys.stderr), file=sys.stderr)
        return EX_CONFIG if parsed.command == "run" and isinstance(error, MissingPackage) else 1
    except ModuleNotFoundError as error:
        if line := missing_package(error):
            print(f"secc: {line}", file=sys.stderr)
            return EX_CONFIG if parsed.command == "run" else 1
        # A target may have parts of the product only (the packages of recipes/chargebyte-fw).
        missing = (error.name or "").split(".")
        if missing[0] != "chargebyte_fw" or len(missing) < 2:
            raise
        part = missing[2] if missing[1] == "modules" and len(missing) > 2 else missing[1]
        print(f"secc: this needs a part that is not installed here: chargebyte-fw-{part}", file=sys.stderr)
        return 1
    return status or 0


def _where(error: OSError) -> str:
    """Return what an error is about: a file, standard output, or nothing that is known."""
    if error.filename is not None:
        return os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    try:
        sys.stdout.flush()
        mode = os.fstat(sys.stdout.fileno()).st_mode
    except (OSError, ValueError):
        _discard_output()
        return "standard output"
    # What writes to a file gives its name (cli/outputs.py); what did not fit into the buffer is lost.
    is_full = error.errno == errno.ENOSPC and (stat.S_ISREG(mode) or stat.S_ISCHR(mode))
    return "standard output" if is_full else ""


def _discard_output() -> None:
    """Let what is still to be printed go nowhere, so that Python does not report it at the exit."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_missing_streams() -> None:
    """Open those of the three standard streams that were closed: a file must not get the number of one."""
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            try:
                os.fstat(number)
            except OSError:
                os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))


def _leave(status: int) -> NoReturn:
    """End the process now. All is closed; taking the interpreter apart object by object takes longer than the stop."""
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        # The reader is gone: the rest is lost in any case.
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    sys.exit(main())
