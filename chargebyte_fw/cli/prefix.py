"""`secc prefix`: a complete prefix of EVerest in a folder: manager, declarations, configurations, certificates."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from chargebyte_fw.cli.outputs import output_folder, writing
from chargebyte_fw.cli.text import counted


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "prefix",
        help="lay out a prefix for EVerest's tools and tests",
        description=__doc__.partition(": ")[2],
        epilog="example: secc prefix /tmp/p && /tmp/p/bin/manager --config config-sil-dc --check",
    )
    parser.add_argument(
        "directory", type=output_folder, metavar="DIR", help="the folder; what it has of the same name is replaced"
    )
    parser.add_argument("--no-certificates", action="store_true", help="make no certificates (they take some seconds)")
    parser.add_argument(
        "--programs",
        action="store_true",
        help="make each module a program as well, for EVerest's own manager in this prefix; ours finds it twice then",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the files; exit status 1 when a module cannot be loaded or a file cannot be written."""
    from chargebyte_fw.kernel.paths import shipped
    from chargebyte_fw.manager.discovery import CannotLoad, discover
    from chargebyte_fw.manager.everest.prefix import lay_out
    from chargebyte_fw.sim.stations_of_two import STATIONS, configuration

    prefix: Path = arguments.directory.absolute()
    failed = False
    classes = {}
    for name, places in discover([]).by_name.items():
        try:
            classes[name] = places[0].load()
        except CannotLoad as error:
            print(f"secc: {name} cannot be loaded: {error}", file=sys.stderr)
            failed = True
    configurations = {f"{name}.yaml": configuration(name) for name in STATIONS}
    configurations["default.yaml"] = configurations["config-sil.yaml"]
    with writing(prefix):
        written = lay_out(prefix, classes, configurations, shipped(), programs=arguments.programs)
        if not arguments.no_certificates:
            _certificates(prefix / "etc/everest")
    print(f"{counted(len(written), 'file')} in {prefix}")
    return 1 if failed else 0


def _certificates(folder: Path) -> None:
    from datetime import UTC, datetime

    from chargebyte_fw.modules.security.test_pki import make_test_pki
    from chargebyte_fw.sim.stations import security

    password = security()["evse_security"]["config_module"]["private_key_password"]
    make_test_pki(folder, now=datetime.now(UTC), password=password)
