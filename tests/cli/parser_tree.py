"""Every parser of `secc`, from the command down to each sub-verb."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Iterator

from chargebyte_fw.cli.main import command_names, parser_for


@functools.cache
def whole() -> argparse.ArgumentParser:
    """Return the parser with every verb."""
    return parser_for(command_names())


def commands(parser: argparse.ArgumentParser) -> argparse._SubParsersAction[argparse.ArgumentParser] | None:
    """Return the action that has the sub-verbs of a parser."""
    return next((one for one in parser._actions if isinstance(one, argparse._SubParsersAction)), None)


def verbs(parser: argparse.ArgumentParser | None = None) -> Iterator[tuple[str, argparse.ArgumentParser, str]]:
    """Yield each verb and sub-verb once: `secc auth add`, its parser, its line in the help above it."""
    below = commands(parser or whole())
    if below is None:
        return
    for shown in below._choices_actions:
        child = below.choices[shown.dest]
        yield child.prog, child, shown.help or ""
        yield from verbs(child)


def leaves() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Yield what can be executed: a verb without sub-verbs, a sub-verb, and a verb whose sub-verbs may be left out."""
    for name, parser, _ in verbs():
        below = commands(parser)
        if below is None or not below.required:
            yield name, parser


def options(parser: argparse.ArgumentParser) -> set[str]:
    """Return the names of its options."""
    return set(parser._option_string_actions)
