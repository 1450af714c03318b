"""argparse as `secc` uses it: help as wide as the terminal, the nearest name for one that does not exist."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from chargebyte_fw.cli.outputs import CannotWrite
from chargebyte_fw.cli.table import COLUMNS, fold, size
from chargebyte_fw.kernel.names import closest, nearest

_MARGIN = 2
_FOLDED = "    "
"""What a folded line of an example begins with."""


class HelpFormatter(argparse.HelpFormatter):
    """Asks the operating system for the width, and keeps the lines of an epilog that has several.

    argparse makes a formatter for each argument, help wanted or not, and asks `shutil`, which imports every compression
    library.
    """

    def __init__(self, prog: str, **options: Any) -> None:
        if options.get("width") is None:
            options["width"] = size(sys.__stdout__, piped=COLUMNS).columns - _MARGIN
        super().__init__(prog, **options)

    def add_argument(self, action: argparse.Action) -> None:
        """Reserve the width of a name; argparse forgets that the names of subcommands are indented."""
        super().add_argument(action)
        for one in self._iter_indented_subactions(action):
            width = len(self._format_action_invocation(one)) + self._current_indent
            self._action_max_length = max(self._action_max_length, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "\n".join(folded for line in text.split("\n") for folded in _folded(indent + line, width))


class Parser(argparse.ArgumentParser):
    """A parser whose errors are in words and name what is nearest; its subcommands' parsers are of the same class.

    `examples` are command lines, shown below the help. Called without arguments where a subcommand is needed, it prints
    its help.
    """

    def __init__(self, *arguments: Any, examples: Sequence[str] = (), **options: Any) -> None:
        options.setdefault("formatter_class", HelpFormatter)
        if examples:
            head = "example:" if len(examples) == 1 else "examples:"
            options["epilog"] = "\n".join([head, *(f"  {line}" for line in examples)])
        super().__init__(*arguments, **options)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; what no option and no argument takes is an error of this parser, not of the one above it."""
        given = list(sys.argv[1:] if args is None else args)
        commands = self._commands()
        if not given and commands is not None and commands.required:
            self.print_help(sys.stderr)
            self.exit(2)
        if unknown := self._unknown_option(given, commands is not None):
            self.error(self._no_option(unknown))
        known, rest = super().parse_known_args(given, namespace)
        if rest:
            first = rest[0]
            self.error(self._no_option(first) if first.startswith("-") else f"{first!r} is one argument too many")
        return known, rest

    def error(self, message: str) -> Any:
        """Print the usage and what is wrong, and exit with status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: error: {message}\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print; an error of the device is the caller's, as of every other output."""
        if message:
            (file or sys.stderr).write(message)

    def _commands(self) -> Any:
        return next((one for one in self._actions if isinstance(one, argparse._SubParsersAction)), None)

    def _unknown_option(self, given: Sequence[str], has_commands: bool) -> str:
        """Return the first long option that does not exist, before argparse misses what it would have stood for."""
        for word in given:
            if word == "--" or (has_commands and not word.startswith("-")):
                break
            if not word.startswith("--") or " " in word:
                continue
            name = word.partition("=")[0]
            abbreviated = self.allow_abbrev and any(one.startswith(name) for one in self._option_string_actions)
            if name not in self._option_string_actions and not abbreviated:
                return name
        return ""

    def _no_option(self, name: str) -> str:
        near = closest(name, self._option_string_actions)
        return f"there is no option {name}" + (f" (did you mean {near}?)" if near else "")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is None or value in action.choices:
            return
        names = [str(one) for one in action.choices]
        if isinstance(action, argparse._SubParsersAction):
            shown = [one.dest for one in action._choices_actions]
            hint = nearest(value, names if closest(value, names) else shown)
            raise argparse.ArgumentError(None, f"there is no command {value!r}" + (f" ({hint})" if hint else ""))
        hint = nearest(str(value), names) or f"known: {', '.join(names)}"
        raise argparse.ArgumentError(action, f"{str(value)!r} is none of its values ({hint})")

    def _get_value(self, action: argparse.Action, arg_string: str) -> Any:
        try:
            return super()._get_value(action, arg_string)
        except CannotWrite as error:
            name = "/".join(action.option_strings) or action.metavar or action.dest
            self.exit(2, f"{self.prog}: {name}: {error}\n")
        except argparse.ArgumentError as error:
            if isinstance(error.__context__, TypeError | ValueError):
                raise argparse.ArgumentError(action, _why(action, arg_string, error.__context__)) from None
            raise


def positive(text: str) -> float:
    """Read a number above zero."""
    return _number(text, lambda value: 0 < value < float("inf"), "above zero")


def not_negative(text: str) -> float:
    """Read a number that is zero or above."""
    return _number(text, lambda value: 0 <= value < float("inf"), "zero or above")


def percent(text: str) -> float:
    """Read a number from 0 to 100."""
    return _number(text, lambda value: 0 <= value <= 100, "0 to 100")


def count(text: str) -> int:
    """Read a whole number that is zero or above."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number, zero or above")
    return int(text)


def _number(text: str, is_good: Any, bounds: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
    if not is_good(value):
        raise argparse.ArgumentTypeError(f"{text} is not {bounds}")
    return value


def _why(action: argparse.Action, text: str, error: Exception) -> str:
    """Return what is wrong with a value; the words of `float` and `int` are for programmers."""
    reason = str(error)
    if action.type is float or reason.startswith("could not convert string to float"):
        return f"{text!r} is not a number"
    if action.type is int or reason.startswith("invalid literal for int"):
        return f"{text!r} is not a whole number"
    return f"{text!r}: {reason}"


def _folded(line: str, width: int) -> Iterator[str]:
    """Yield a line in pieces that fit: what stands beside a command line goes below it."""
    text = line.lstrip()
    if len(line) <= width or text == line:
        yield from fold(line, width)
        return
    margin = line[: len(line) - len(text)]
    command, _gap, beside = text.partition("  ")
    yield from fold(margin + command, width, margin + _FOLDED)
    if beside:
        yield from fold(margin + _FOLDED + beside.strip(), width, margin + _FOLDED)
