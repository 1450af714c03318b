"""`secc certs`: certificates for a technician: make a public key infrastructure for tests."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "certs",
        help="look at certificates, make some for tests",
        description=__doc__.partition(": ")[2],
        epilog="example: secc certs make-test-pki /tmp/pki",
    )
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    make = actions.add_parser("make-test-pki", help="make roots, chains, contracts and cars for tests")
    make.add_argument("directory", type=Path, metavar="DIR", help="the folder in which they are made")
    make.add_argument("--password", default="", help="password of the charger's private keys (default: none)")
    make.set_defaults(run=make_pki)


def make_pki(arguments: argparse.Namespace) -> int:
    """Make the tree of `modules/security/test_pki.py`."""
    from datetime import UTC, datetime

    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.modules.security.test_pki import make_test_pki

    try:
        pki = make_test_pki(arguments.directory, now=datetime.now(UTC), password=arguments.password)
    except OSError as error:
        raise Unavailable(f"no test PKI can be made in {arguments.directory}: {error.strerror or error}") from error
    print(f"the charger's store: {pki.certs}")
    print(f"cars: {pki.directory / 'car'}, provisioning service: {pki.directory / 'provisioning'}")
    return 0
