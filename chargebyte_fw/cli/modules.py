"""`secc modules`: what is installed, what it provides, requires, and its configuration."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.table import paragraph, table
from chargebyte_fw.cli.text import add_root

if TYPE_CHECKING:
    from chargebyte_fw.kernel.module import Module
    from chargebyte_fw.manager.discovery import Found


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "modules",
        help="list the installed modules",
        description=__doc__.partition(": ")[2],
        epilog="example: secc modules --verbose EvseManager",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these modules")
    add_root(parser)
    parser.add_argument("--verbose", "-v", action="store_true", help="show every configuration key")
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what is installed; exit status 1 when a name is not, is there twice or cannot be loaded."""
    from chargebyte_fw.kernel.names import nearest
    from chargebyte_fw.kernel.paths import root_at
    from chargebyte_fw.manager import index
    from chargebyte_fw.manager.discovery import MODULES_DIR, discover

    root = root_at(arguments.root)
    installed = discover([root.read(MODULES_DIR)], index_file=root.read(index.PLACE))
    problems = [f"{name} is not installed. {nearest(name, installed.names())}" for name in arguments.names
                if name not in installed.by_name]  # fmt: skip
    for name, places in installed.doubles().items():
        problems.append(f"{name} is installed twice: " + " and ".join(f"{p.origin} ({p.target})" for p in places))
    names = [name for name in installed.names() if not arguments.names or name in arguments.names]
    described = [_describe(place, problems) for name in names for place in installed.by_name[name]]
    if arguments.json:
        print(json.dumps({"modules": described, "problems": problems}, indent=2))
    else:
        print(paragraph("\n\n".join(map(_long, described))) if arguments.verbose else _short(described))
        for problem in problems:
            print(paragraph(problem))
    return 1 if problems else 0


def _describe(place: Found, problems: list[str]) -> dict[str, Any]:
    from chargebyte_fw.manager.discovery import CannotLoad

    row: dict[str, Any] = {"name": place.name, "origin": place.origin, "target": place.target}
    try:
        cls = place.load()
    except CannotLoad as error:
        problems.append(f"{place.name} cannot be loaded: {error}")
        return {**row, "description": "cannot be loaded", "provides": {}, "requires": {}}
    return {
        **row,
        "description": (cls.__doc__ or "").strip().partition("\n")[0],
        "provides": {name: provision.interface for name, provision in cls.provisions.items()},
        "requires": {
            name: {"interface": one.interface, "min": one.minimum, "max": one.maximum}
            for name, one in cls.requirements.items()
        },
        "config": _config(cls),
    }


def _config(cls: type[Module]) -> list[dict[str, Any]]:
    from chargebyte_fw.manager.manifest import declarations

    everything = {"": cls.Config, **{name: provision.config for name, provision in cls.provisions.items()}}
    return [
        {"key": key, "implementation": implementation, **declaration}
        for implementation, config in everything.items()
        for key, declaration in declarations(config).items()
    ]


def _short(described: list[dict[str, Any]]) -> str:
    rows = [
        [
            one["name"],
            one["origin"],
            " ".join(f"{name}:{interface}" for name, interface in one["provides"].items()),
            " ".join(name + _count(need) for name, need in one["requires"].items()),
        ]
        for one in described
    ]
    return table(["module", "from", "provides", "requires"], rows)


def _count(need: dict[str, Any]) -> str:
    least, most = need["min"], need["max"]
    return "" if (least, most) == (1, 1) else ("?" if (least, most) == (0, 1) else ("+" if least else "*"))


def _long(one: dict[str, Any]) -> str:
    lines = [f"{one['name']} ({one['origin']})", f"  {one['description']}"]
    lines += [f"  provides {name}: {interface}" for name, interface in one["provides"].items()]
    lines += [
        f"  requires {name}: {need['interface']} ({need['min']} to {need['max']})"
        for name, need in one["requires"].items()
    ]
    for key in one.get("config", []):
        default = f" = {json.dumps(key['default'])}" if "default" in key else " (mandatory)"
        where = f"{key['implementation']}." if key["implementation"] else ""
        lines += [f"  {where}{key['key']}: {key['type']}{default}", f"      {key['description']}"]
    return "\n".join(lines)
