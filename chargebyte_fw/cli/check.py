"""`secc check`: everything that is wrong with a configuration, and what it would start."""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.table import PIPED_LINE, fold, paragraph, size, table
from chargebyte_fw.cli.text import add_programs, add_root, configuration_file, counted

if TYPE_CHECKING:
    from chargebyte_fw.kernel.errors import Finding
    from chargebyte_fw.manager.configuration.loading import Configuration

WIDTH, MARGIN = 100, 9
"""Most characters of an excerpt; columns of the number before it."""
PIPED_PAGE = 100
"""Columns of an explanation that is printed to a pipe."""
EXAMPLE = "example: secc check etc/everest/bsp-only-dc.yaml --root ."


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "check", help="check a configuration", description=__doc__.partition(": ")[2], epilog=EXAMPLE
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="the configuration, or its short name in etc/everest")
    parser.add_argument(
        "--explain", metavar="NUMBER", help="print what a finding's number (C046) means, and its remedy"
    )
    add_root(parser)
    add_programs(parser)
    parser.add_argument("--json", action="store_true", help="print findings and modules as JSON")
    parser.set_defaults(run=partial(run, parser))


def run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> int:
    """Print every finding; exit status 78 if one of them stops the start."""
    if arguments.explain is not None:
        return _explain(arguments.explain, as_json=arguments.json)
    if arguments.file is None:
        parser.error("name a configuration, or --explain NUMBER")
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager.configuration.loading import load
    from chargebyte_fw.manager.packages import lacking

    root = root_at(arguments.root)
    configuration = load(configuration_file(arguments.file, arguments.root), root, programs=arguments.program)
    if root.static != root.state or root.static == Path("/"):
        # Another root is that of another machine, an image that is being built: it has packages of its own.
        configuration.findings += lacking(configuration)
    if arguments.json:
        print(json.dumps(as_json(configuration), indent=2))
    else:
        print_findings(configuration)
        print(summary(configuration))
    return 78 if configuration.errors else 0


def _explain(number: str, *, as_json: bool) -> int:
    """Print what a number means; exit status 2 for one that is none."""
    import msgspec

    from chargebyte_fw.manager.configuration.findings import UnknownNumber, explain, explanation_of

    try:
        if as_json:
            print(json.dumps({"number": number.upper(), **msgspec.to_builtins(explanation_of(number))}, indent=2))
        else:
            columns = size(piped=PIPED_PAGE).columns
            for line in explain(number):
                # What can be pasted into a file stays as it is.
                print("\n".join([line] if line.startswith("    ") else fold(line, columns)))
    except UnknownNumber as error:
        print(f"secc check: {error}", file=sys.stderr)
        return 2
    return 0


def print_findings(configuration: Configuration) -> None:
    """Print each finding with the line that it is about."""
    for finding in configuration.findings:
        print(paragraph(str(finding)))
        print(excerpt(finding), end="")


def excerpt(finding: Finding) -> str:
    """Return the line of a finding with a caret below its place, or nothing without a line."""
    file, line, column = place_of(finding)
    try:
        with open(file, encoding="utf-8-sig") as text:
            shown = next(itertools.islice(text, line - 1, line), "").rstrip("\n")
    except (OSError, UnicodeDecodeError):
        return ""
    if not shown.strip():
        return ""
    width = min(WIDTH, size(piped=PIPED_LINE).columns - MARGIN)
    begin = max(0, column - 1 - width // 2) if len(shown) > width else 0
    part = "".join(_visible(character) for character in shown[begin : begin + width])
    margin = f"{line:>6} | "
    return f"{margin}{part}\n{' ' * (len(margin) - 2)}| {' ' * (column - 1 - begin)}^\n"


def _visible(character: str) -> str:
    if character == "\t":
        return "\N{RIGHTWARDS ARROW TO BAR}"
    return character if character.isprintable() else "\N{OPEN BOX}"


def place_of(finding: Finding) -> tuple[str, int, int]:
    """Return file, line and column of a finding."""
    parts = finding.where.rsplit(":", 2)
    if len(parts) == 3 and parts[1].isdigit() and parts[2].isdigit():
        return parts[0], int(parts[1]), int(parts[2])
    return finding.where, 1, 1


def as_json(configuration: Configuration) -> dict[str, Any]:
    """Return findings and modules as plain data."""
    findings = []
    for finding in configuration.findings:
        file, line, column = place_of(finding)
        row = {"file": file, "line": line, "column": column}
        findings.append(
            {**row, "severity": finding.severity, "what": finding.what, "hint": finding.hint, "number": finding.number}
        )
    modules = [
        {"id": row[0], "module": row[1], "evse": row[2], "connections": row[3], "origin": row[4]}
        for row in module_rows(configuration)
    ]
    return {"ok": not configuration.errors, "findings": findings, "modules": modules}


def module_rows(configuration: Configuration) -> list[list[str]]:
    """Return one row a module: id, name, EVSE, connections, origin."""
    rows = []
    for plan in configuration.plans:
        ends = [f"{end.module_id}.{end.implementation_id}" for group in plan.connections.values() for end in group]
        evse = "" if plan.mapping is None else str(plan.mapping.evse)
        found = configuration.origins.get(plan.id)
        rows.append([plan.id, plan.module.module_name(), evse, " ".join(ends), found.origin if found else ""])
    return rows


def summary(configuration: Configuration) -> str:
    """Return the table of what would run, or the count of what is wrong."""
    errors = len(configuration.errors)
    warnings = len(configuration.findings) - errors
    counts = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}"
    if errors:
        return paragraph(f"{configuration.path}: {counts}")
    lines = table(["id", "module", "EVSE", "connected to", "from"], module_rows(configuration))
    return f"{lines}\n\n" + paragraph(f"{configuration.path}: {counted(len(configuration.plans), 'module')}, {counts}")
