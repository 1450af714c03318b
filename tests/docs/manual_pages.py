"""Manual pages of `secc`, made of its parsers: one for the command and one for each verb, with its sub-verbs."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator

from chargebyte_fw.cli.arguments import HelpFormatter
from tests.cli.parser_tree import commands, whole

FOLDER = "usr/share/man/man1"
CHOICES = 40
"""Characters up to which the values of an argument stand in place of its name."""
ESCAPED = {"\\": r"\e", "-": r"\-", "'": r"\(aq", "^": r"\(ha", "~": r"\(ti"}
"""What roff would read as something else, or print as a sign that cannot be typed; the backslash first."""
EXIT_STATUS = (
    ("0", "done"),
    ("1", "failed; what and why is on standard error"),
    ("2", "called wrongly, or a file that was named for the output cannot be written"),
    ("78", "a configuration is wrong; each finding names file, line and column"),
    ("130", "ended by Ctrl-C"),
)
ENVIRONMENT = (
    ("COLUMNS, LINES", "size of the terminal, in place of its own"),
    ("NO_COLOR", "no colours"),
    ("XDG_STATE_HOME", "where the state of a checkout is kept; default: ~/.local/state"),
    ("MQTT_SERVER_ADDRESS, MQTT_SERVER_PORT", "the broker where none is named"),
)


def files() -> Iterator[tuple[str, str]]:
    """Yield place and content of each page."""
    parser = whole()
    below = commands(parser)
    assert below is not None
    lines = {one.dest: one.help or "" for one in below._choices_actions}
    yield f"{FOLDER}/secc.1", _main_page(parser, lines)
    for name, line in lines.items():
        yield f"{FOLDER}/secc-{name}.1", _page(below.choices[name], line)


def _main_page(parser: argparse.ArgumentParser, lines: dict[str, str]) -> str:
    parts = [_head("secc", "the firmware of a charge controller"), ".SH SYNOPSIS", *_synopsis(parser)]
    parts += [".SH DESCRIPTION", *_sentence(parser.description or "")]
    parts += ["Each command has a page of its own.", ".SH COMMANDS"]
    for name, line in lines.items():
        parts += [".TP", rf"\fBsecc\-{_plain(name)}\fR(1)", _plain(line)]
    parts += [
        ".SH OPTIONS",
        *_options(parser),
        *_table("EXIT STATUS", EXIT_STATUS),
        *_table("ENVIRONMENT", ENVIRONMENT),
    ]
    parts += [".SH SEE ALSO", ", ".join(rf"\fBsecc\-{_plain(name)}\fR(1)" for name in lines)]
    return "\n".join(parts) + "\n"


def _page(parser: argparse.ArgumentParser, line: str) -> str:
    name = parser.prog.replace(" ", "-")
    parts = [_head(name, line), ".SH SYNOPSIS"]
    executed = list(_executed(parser))
    for number, one in enumerate(executed):
        parts += [*([".br"] if number else []), *_synopsis(one)]
    parts += [".SH DESCRIPTION", *_sentence(parser.description or "")]
    if commands(parser) is None:
        parts += [".SH OPTIONS", *_options(parser)]
    else:
        parts += [*([".SH OPTIONS", *_options(parser)] if _has_options(parser) else []), ".SH COMMANDS"]
        for one in executed:
            if one is not parser:
                parts += [f".SS {_plain(one.prog)}", *_sentence(one.description or ""), *_options(one), *_epilog(one)]
    parts += [*([".SH EXAMPLES"] if parser.epilog else []), *_epilog(parser)]
    parts += [*_table("EXIT STATUS", EXIT_STATUS), ".SH SEE ALSO", r"\fBsecc\fR(1)"]
    return "\n".join(parts) + "\n"


def _executed(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    below = commands(parser)
    if below is None or not below.required:
        yield parser
    if below is not None:
        for one in below._choices_actions:
            yield from _executed(below.choices[one.dest])


def _has_options(parser: argparse.ArgumentParser) -> bool:
    return any(action.option_strings and action.dest != "help" for action in parser._actions)


def _head(name: str, line: str) -> str:
    return (
        f'.TH {_plain(name.upper())} 1 "" "chargebyte_fw" "User Commands"\n.SH NAME\n{_plain(name)} \\- {_plain(line)}'
    )


def _synopsis(parser: argparse.ArgumentParser) -> list[str]:
    """Return a line that is filled: the options, then the arguments."""
    words = [rf"\fB{_plain(parser.prog)}\fR"]
    for action in parser._actions:
        if action.help == argparse.SUPPRESS or not action.option_strings:
            continue
        name = rf"\fB{_plain(action.option_strings[-1])}\fR{_value(action, ' ')}"
        words.append(name if action.required else f"[{name}]")
    for action in parser._actions:
        if action.option_strings or action.help == argparse.SUPPRESS:
            continue
        words.append(_argument(action))
    return [".nh", ".ad l", *words, ".ad", ".hy"]


def _argument(action: argparse.Action) -> str:
    if isinstance(action, argparse._SubParsersAction):
        return r"\fICOMMAND\fR ..." if action.required else r"[\fICOMMAND\fR ...]"
    name = rf"\fI{_plain(_metavar(action))}\fR"
    return {"?": f"[{name}]", "*": f"[{name} ...]", "+": f"{name} ..."}.get(str(action.nargs), name)


def _metavar(action: argparse.Action) -> str:
    if action.metavar is not None:
        return str(action.metavar)
    if action.choices is not None and not _has_many_choices(action):
        return "|".join(str(one) for one in action.choices)
    return action.dest.upper() if action.option_strings else action.dest


def _has_many_choices(action: argparse.Action) -> bool:
    return action.metavar is None and len("|".join(str(one) for one in action.choices or ())) > CHOICES


def _value(action: argparse.Action, between: str) -> str:
    if action.nargs == 0:
        return ""
    value = rf"\fI{_plain(_metavar(action))}\fR"
    if action.nargs == "?":
        return f"{between}[{value}]"
    return f"{between}{value}" + (" ..." if action.nargs == "+" else "")


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    formatter = HelpFormatter(parser.prog, width=1000)
    for action in parser._actions:
        if action.help in (None, argparse.SUPPRESS) or isinstance(action, argparse._SubParsersAction):
            continue
        names = [rf"\fB{_plain(name)}\fR" for name in action.option_strings] or [rf"\fI{_plain(_metavar(action))}\fR"]
        value = _value(action, " ") if action.option_strings else ""
        yield ".TP"
        yield ", ".join(names) + value
        yield from _text(formatter._expand_help(action))
        if _has_many_choices(action):
            yield _plain(f"(one of {', '.join(str(one) for one in action.choices or ())})")


def _epilog(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the examples as they are typed, and what stands below them as text."""
    literal = False
    for line in (parser.epilog or "").split("\n"):
        is_example = line.startswith("  ") or ("secc " in line and line.startswith("example: "))
        line = line.removeprefix("example: ").strip() if is_example else line.strip()
        if is_example != literal:
            literal = is_example
            yield from ((".PP", ".RS 4", ".nf") if literal else (".fi", ".RE"))
        if line in ("example:", "examples:", ""):
            continue
        yield _plain(line) if literal else _plain(line[0].upper() + line[1:])
    if literal:
        yield from (".fi", ".RE")


def _table(title: str, rows: tuple[tuple[str, str], ...]) -> Iterator[str]:
    yield f".SH {title}"
    for name, text in rows:
        yield from (".TP", rf"\fB{_plain(name)}\fR", _plain(text))


def _text(text: str) -> Iterator[str]:
    text = " ".join(text.split())
    if text:
        yield re.sub(r"`([^`]*)`", r"\\fB\1\\fR", _plain(text[0].upper() + text[1:]))


def _sentence(text: str) -> Iterator[str]:
    yield from _text(text if text.endswith((".", ":")) else f"{text}.")


def _plain(text: str) -> str:
    """Return a text in which nothing is a request of roff, and every hyphen the one that is typed."""
    for character, escaped in ESCAPED.items():
        text = text.replace(character, escaped)
    text = "".join(one if one.isascii() else rf"\[u{ord(one):04X}]" for one in text)
    return rf"\&{text}" if text.startswith((".", "'")) else text
