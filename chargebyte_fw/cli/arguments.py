"""argparse as `secc` uses it: help as wide as the terminal, without importing `shutil`."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from chargebyte_fw.cli.table import COLUMNS, size

_MARGIN = 2


class HelpFormatter(argparse.HelpFormatter):
    """Asks the operating system for the width.

    argparse makes a formatter for each argument, help wanted or not, and asks `shutil`, which imports every compression
    library.
    """

    def __init__(self, prog: str, **options: Any) -> None:
        if options.get("width") is None:
            options["width"] = size(sys.__stdout__, piped=COLUMNS).columns - _MARGIN
        super().__init__(prog, **options)


class Parser(argparse.ArgumentParser):
    """A parser whose help is as wide as the terminal; its subcommands' parsers are of the same class."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", HelpFormatter)
        super().__init__(*arguments, **options)
