"""`secc certs`: the certificates of a charger: what is there, what is used and why, what is to be done about it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.arguments import count
from chargebyte_fw.cli.outputs import output_folder
from chargebyte_fw.cli.text import add_root

if TYPE_CHECKING:
    from chargebyte_fw.modules.security.changes import Changes

ROOT_KINDS = ("v2g", "mo", "oem", "csms", "mf")
LEAF_KINDS = {"secc": "V2G", "csms-client": "CSMS"}
ADVICE = {
    "InvalidFormat": "the file holds no certificate that can be read (PEM, or one DER)",
    "Expired": "it is not valid at the system time; look at `secc certs` for the time",
    "InvalidCertificateChain": "a root must have signed itself; a chain begins with the charger's certificate",
    "InvalidCommonName": "the subject has no DC=CPO (or DC=CSO): it is no certificate of a charging station",
    "NoRootCertificateInstalled": "the root of the chain is not installed; install it first",
    "InvalidSignature": "a certificate of the chain was not signed by the one that it names",
    "CertificateStoreMaxLengthExceeded": "the store is full",
    "WriteError": "there is no private key for it here (--key FILE brings one), or the disk cannot be written",
}


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "certs",
        help="look at the certificates, install some",
        description=__doc__.partition(": ")[2],
        epilog="example: secc certs --config bsp-only-dc --root .",
    )
    add_options(parser, action=False)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=show)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    what = "print only what needs attention; exit status 1 if anything does"
    check = _add(actions, "check", what, "check --days 60", "check --json")
    add_options(check)
    check.add_argument("--json", action="store_true", help="print as JSON")
    check.add_argument("--days", type=count, default=30, metavar="N", help="report what expires so soon (default: 30)")
    check.set_defaults(run=run_check)
    what = "install a root, or a certificate of this charger with its chain"
    lines = ("install v2g-root.pem --as v2g", "install chain.pem --as secc --key secc.key")
    install = _add(actions, "install", what, *lines)
    install.add_argument("file", type=Path, metavar="FILE", help="certificates, PEM or one DER; a chain leaf first")
    install.add_argument("--as", dest="kind", required=True, choices=[*ROOT_KINDS, *LEAF_KINDS], help="what it is")
    install.add_argument("--key", type=Path, metavar="FILE", help="its private key (PEM), if it was not made here")
    add_options(install)
    install.set_defaults(run=run_install)
    what = "make a private key and print a signing request (PKCS#10) for it"
    line = 'csr --as secc --country DE --organization "Example" --name DEABC0001 >secc.csr'
    csr = _add(actions, "csr", what, line)
    csr.add_argument("--as", dest="kind", required=True, choices=list(LEAF_KINDS), help="what it is for")
    csr.add_argument("--country", required=True, metavar="CC", help="two letters")
    csr.add_argument("--organization", required=True, metavar="NAME", help="the operator")
    csr.add_argument("--name", required=True, metavar="CN", help="the common name: the SECC id, or the charger's name")
    add_options(csr)
    csr.set_defaults(run=run_csr)
    what = "make roots, chains, contracts and cars for tests"
    make = _add(actions, "make-test-pki", what, "make-test-pki /tmp/pki")
    make.add_argument("directory", type=output_folder, metavar="DIR", help="the folder in which they are made")
    make.add_argument("--password", default="", help="password of the charger's private keys (default: none)")
    make.add_argument("--ed448", action="store_true", help="ISO 15118-20 on Ed448 with X448 in place of P-521")
    make.set_defaults(run=make_pki)


def _add(actions: Any, name: str, help: str, *examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = actions.add_parser(
        name, help=help, description=help, examples=[f"secc certs {line}" for line in examples]
    )
    return parser


def add_options(parser: argparse.ArgumentParser, *, action: bool = True) -> None:
    """Add the options that choose a store; of an `action` they may also stand before its name."""
    added = [
        parser.add_argument("--config", metavar="FILE", help="the configuration (default: etc/everest/config.yaml)"),
        parser.add_argument("--id", metavar="ID", help="the EvseSecurity module, if the configuration has several"),
        parser.add_argument("--certs", type=Path, metavar="DIR", help="a folder of certificates, no configuration"),
        parser.add_argument("--password", help="password of the private keys (default: that of the configuration)"),
        add_root(parser),
    ]
    if action:
        for option in added:
            # What was not given here must not replace what was given before.
            option.default = argparse.SUPPRESS


def show(arguments: argparse.Namespace) -> int:
    """Print the whole store."""
    from chargebyte_fw.cli import certs_view
    from chargebyte_fw.cli.certs_store import choose
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.modules.security.survey import survey

    chosen = choose(arguments)
    found = survey(chosen.store, utc_now())
    if arguments.json:
        print(json.dumps(certs_view.as_json(found, chosen), indent=2))
    else:
        certs_view.show(certs_view.lines(found, chosen))
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """Print what needs attention, a line each; exit status 1 if anything does."""
    from datetime import timedelta

    from chargebyte_fw.cli.certs_store import choose
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.modules.security.survey import survey

    chosen = choose(arguments)
    found = survey(chosen.store, utc_now())
    problems = [*found.problems(timedelta(days=arguments.days)), *chosen.notes]
    if arguments.json:
        print(json.dumps({"ok": not problems, "problems": problems}, indent=2, ensure_ascii=False))
        return 1 if problems else 0
    for problem in problems:
        print(problem)
    if not problems:
        print("nothing needs attention")
    return 1 if problems else 0


def run_install(arguments: argparse.Namespace) -> int:
    """Install what is in the file; a running charger notices it within half a minute."""
    from chargebyte_fw.contracts.types.evse_security import CaCertificateType, LeafCertificateType
    from chargebyte_fw.kernel.clock import utc_now
    from chargebyte_fw.modules.security.certificates import parse, to_pem

    try:
        text = to_pem(parse(_read(arguments.file))).decode()
    except ValueError:
        text = ""
    changes, notes = _changes(arguments)
    if arguments.kind == "oem":
        result = changes.install_vehicle_root(text, utc_now())
    elif arguments.kind in ROOT_KINDS:
        result = changes.install_root(text, CaCertificateType(arguments.kind.upper()), utc_now())
    else:
        kind = LeafCertificateType(LEAF_KINDS[arguments.kind])
        key = _read(arguments.key) if arguments.key is not None else None
        result = changes.install_leaf(text, kind, utc_now(), key_pem=key)
    for note in notes:
        print(note, file=sys.stderr)
    if result.value != "Accepted":
        print(f"secc: {arguments.file} is not installed ({result.value}): {ADVICE[result.value]}", file=sys.stderr)
        return 1
    print(f"{arguments.file} is installed")
    return 0


def run_csr(arguments: argparse.Namespace) -> int:
    """Make a key, print the request."""
    from chargebyte_fw.contracts.types.evse_security import LeafCertificateType
    from chargebyte_fw.kernel.clock import utc_now

    changes, notes = _changes(arguments)
    kind = LeafCertificateType(LEAF_KINDS[arguments.kind])
    subject = (arguments.country, arguments.organization, arguments.name)
    answer = changes.request_signature(kind, *subject, utc_now(), 0.0, use_tpm=False)
    for note in notes:
        print(note, file=sys.stderr)
    if answer.csr is None:
        print(f"secc: no request can be made ({answer.status.value})", file=sys.stderr)
        return 1
    print(answer.csr, end="")
    return 0


def _changes(arguments: argparse.Namespace) -> tuple[Changes, list[str]]:
    import random

    from chargebyte_fw.cli.certs_store import choose
    from chargebyte_fw.modules.security.changes import Changes

    chosen = choose(arguments, writing=True)
    return Changes(chosen.store, random.SystemRandom(), chosen.notes.append), chosen.notes


def _read(path: Path) -> bytes:
    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.modules.security.layout import read_file

    try:
        return read_file(path)
    except OSError as error:
        raise Unavailable(f"{path} cannot be read: {error.strerror or error}") from error


def make_pki(arguments: argparse.Namespace) -> int:
    """Make the tree of `modules/security/test_pki.py`."""
    from datetime import UTC, datetime

    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.modules.security.test_pki import make_test_pki

    try:
        now, password = datetime.now(UTC), arguments.password
        pki = make_test_pki(arguments.directory, now=now, password=password, ed448=arguments.ed448)
    except OSError as error:
        raise Unavailable(f"no test PKI can be made in {arguments.directory}: {error.strerror or error}") from error
    print(f"the charger's store: {pki.certs} (secc certs --certs {pki.certs})")
    print(f"cars: {pki.directory / 'car'}, provisioning service: {pki.directory / 'provisioning'}")
    return 0
