"""Completion of `secc` for bash, zsh and fish, made of its parsers by shtab, with the values that are known."""

from __future__ import annotations

import argparse
import configparser
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import shtab

from chargebyte_fw.cli.outputs import output_file, output_file_in_new_folders, output_folder
from chargebyte_fw.cli.text import existing_folder
from tests.cli.parser_tree import verbs, whole

ROOT = Path(__file__).parents[2]
FILES = {
    "bash": "usr/share/bash-completion/completions/secc",
    "zsh": "usr/share/zsh/site-functions/_secc",
    "fish": "usr/share/fish/vendor_completions.d/secc.fish",
}
"""Where each shell looks for the completion of a command."""


def _of_command(name: str, bash: str, zsh: str, fish: str) -> dict[str, Any]:
    """Return what completes a value by a function of each shell."""
    preamble = {
        "bash": f"{name}() {{\n  {bash}\n}}",
        "zsh": f"{name}() {{\n  {zsh}\n}}",
        "fish": f"function {name}\n  {fish}\nend",
    }
    return {"bash": name, "zsh": name, "fish": f"({name})", "preamble": preamble}


CONFIGURATION = _of_command(
    "_secc_configurations",
    "local file; for file in /etc/everest/*.yaml etc/everest/*.yaml; do\n"
    '    [ -e "$file" ] && file=${file##*/} && compgen -W "${file%.yaml}" -- "$1"\n'
    '  done; compgen -f -- "$1"',
    "local -a names; names=({/etc/everest,etc/everest}/*.yaml(N:t:r)); compadd -a names; _files",
    "for file in /etc/everest/*.yaml etc/everest/*.yaml; string replace -r '.*/(.*)[.]yaml$' '$1' -- $file; end\n"
    "  __fish_complete_path (commandline -ct)",
)
"""The short names in /etc/everest and in a checkout, and files."""
INTERFACE = _of_command(
    "_secc_interfaces",
    'compgen -W "$(ls /sys/class/net 2>/dev/null)" -- "$1"',
    "local -a names; names=(/sys/class/net/*(N:t)); compadd -a names",
    "for file in /sys/class/net/*; string replace -r '.*/' '' -- $file; end",
)


def known_values() -> dict[tuple[str, str], list[str]]:
    """Return the values of an argument (verb, name of the argument) that are known when the package is built."""
    from chargebyte_fw.contracts.types.authorization import IdTokenType
    from chargebyte_fw.modules.ocpp.messages.catalogue import catalogue
    from chargebyte_fw.modules.ocpp.version import Version
    from chargebyte_fw.sim.car_models import PROTOCOLS
    from hil import scenario

    interfaces = [path.stem for path in (ROOT / "chargebyte_fw/contracts/interfaces").glob("[a-z]*.py")]
    scenarios = [path.stem for path in scenario.FOLDER.glob("*.yaml")]
    messages = {name for version in Version for name in catalogue(version).actions_from_station}
    kinds = ("uart", "slac", "sdp", "v2g", "can", "cmd", "var", "fault", "state", "event", "effect")
    return {
        ("secc auth add", "type"): list(IdTokenType.__members__),
        ("secc bus", "interface"): sorted(interfaces),
        ("secc car", "protocol"): [name for name, protocols in PROTOCOLS.items() if protocols],
        ("secc hil run", "scenario"): sorted([*scenario.GROUPS, *scenarios]),
        ("secc modules", "names"): module_names(),
        ("secc ocpp send", "action"): sorted(messages),
        ("secc run", "log_level"): ["DEBUG", "INFO", "WARNING", "ERROR"],
        ("secc trace show", "kind"): list(kinds),
    }


def module_names() -> list[str]:
    """Return the modules of the product, as its package declares them."""
    settings = configparser.ConfigParser(delimiters=("=",))
    settings.optionxform = str  # type: ignore[assignment, method-assign]
    settings.read(ROOT / "setup.cfg", "utf-8")
    lines = settings["options.entry_points"]["chargebyte_fw.modules"].split("\n")
    return sorted(line.partition("=")[0].strip() for line in lines if line.strip())


def of_action(name: str, action: argparse.Action) -> Any:
    """Return what completes the values of an argument; None where choices do, or nothing can."""
    metavar = str(action.metavar or "")
    if action.nargs == 0 or action.choices or isinstance(action, argparse._SubParsersAction):
        return None
    if action.dest in ("interface", "can_mirror") and metavar == "IF":
        return INTERFACE
    if (name in ("secc check", "secc graph") and action.dest == "file") or action.dest in ("config", "conf"):
        return CONFIGURATION
    if action.type in (output_folder, existing_folder) or metavar in ("DIR", "DIRECTORY"):
        return shtab.DIRECTORY
    is_file = metavar.startswith(("FILE", "OUT", "IN")) or metavar in ("WHAT", "RIG", "R")
    if is_file or action.type in (Path, output_file, output_file_in_new_folders):
        return shtab.FILE
    return None


def prepared() -> argparse.ArgumentParser:
    """Return the parser, each argument with what completes its values."""
    values = known_values()
    for name, parser, _ in verbs():
        for action in parser._actions:
            known = values.get((name, action.dest))
            if known:
                # As `choices` for this library alone: the parser itself takes every word.
                action.complete = _of_words(known)  # type: ignore[attr-defined]
            elif (completer := of_action(name, action)) is not None:
                action.complete = completer  # type: ignore[attr-defined]
    return whole()


def _of_words(words: list[str]) -> dict[str, Any]:
    text = " ".join(words)
    name = f"_secc_words_{hashlib.sha256(text.encode()).hexdigest()[:8]}"
    return _of_command(name, f'compgen -W "{text}" -- "$1"', f"compadd -- {text}", f"string split ' ' -- '{text}'")


def files() -> Iterator[tuple[str, str]]:
    """Yield place and content of the completion of each shell."""
    parser = prepared()
    for shell, place in FILES.items():
        text = shtab.complete(parser, shell)
        yield place, "\n".join(line.rstrip() for line in text.split("\n")).rstrip("\n") + "\n"
