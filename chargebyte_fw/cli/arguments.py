"""argparse as `secc` uses it: help as wide as the terminal, without importing `shutil`."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from typing import Any

_WIDTH = 80
_MARGIN = 2


class HelpFormatter(argparse.HelpFormatter):
    """Asks the operating system for the width.

    argparse makes a formatter for each argument, help wanted or not, and asks `shutil`, which imports every compression
    library.
    """

    def __init__(self, prog: str, **options: Any) -> None:
        if options.get("width") is None:
            options["width"] = _terminal_width() - _MARGIN
        super().__init__(prog, **options)


class Parser(argparse.ArgumentParser):
    """A parser whose help is as wide as the terminal; its subcommands' parsers are of the same class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", HelpFormatter)
        super().__init__(*arguments, **options)


def _terminal_width() -> int:
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.get_terminal_size(sys.__stdout__.fileno()).columns or _WIDTH  # type: ignore[union-attr]
    return _WIDTH
