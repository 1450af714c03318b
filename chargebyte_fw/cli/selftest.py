"""`secc selftest`: whether this charger works: stack, board, broker, certificates, stores; new systems must pass it."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.table import pairs
from chargebyte_fw.cli.text import add_root, counted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from chargebyte_fw.kernel.paths import Root
    from chargebyte_fw.manager.status_file import Status

DRIVER = "CbChargeSOMDriver"
LOST = "CommunicationFault"
STORES = "/var/lib/everest"
"""Where the modules keep their databases."""


class Failed(Exception):
    """One check did not pass; the text is the reason."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "selftest",
        help="check that this charger works",
        description=__doc__.partition(": ")[2],
        epilog="examples:\n  secc selftest\n  secc selftest --root . --json\nexit status 1 when a check fails",
    )
    add_root(parser)
    parser.add_argument("--json", action="store_true", help="print as JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run every check, print one line each; exit status 1 when one fails."""
    from chargebyte_fw.kernel.paths import root_at

    rows = results(root_at(arguments.root))
    if arguments.json:
        print(json.dumps(rows, indent=2))
    else:
        shown = [(f"{'ok    ' if row['passed'] else 'FAILED'}  {row['check']:<12}", str(row["what"])) for row in rows]
        print(pairs(shown))
    return 0 if all(row["passed"] for row in rows) else 1


def results(root: Root) -> list[dict[str, Any]]:
    """Run every check; returns name, outcome and what was found of each."""
    from chargebyte_fw.manager.status_file import read

    status = read(root)
    checks: dict[str, Callable[[Root, Status | None], str]] = {
        "stack": stack,
        "board": board,
        "broker": broker,
        "certificates": certificates,
        "stores": stores,
    }
    rows = []
    for name, check in checks.items():
        try:
            rows.append({"check": name, "passed": True, "what": check(root, status)})
        except Failed as failure:
            rows.append({"check": name, "passed": False, "what": str(failure)})
    return rows


def _running(root: Root, status: Status | None) -> Status:
    if status is None:
        from chargebyte_fw.manager.status_file import PLACE

        raise Failed(f"the charging stack does not run (no {root.state / PLACE.lstrip('/')})")
    return status


def stack(root: Root, status: Status | None) -> str:
    """All modules are ready. What was set aside at the start is printed; it stops nothing."""
    now = _running(root, status)
    if not now.ready:
        raise Failed("its modules are not ready")
    groups = ", ".join(f"{name} {state}" for name, state in now.groups.items())
    if down := [name for name, state in now.groups.items() if not state.startswith("running")]:
        raise Failed(f"{', '.join(down)} does not run ({groups})")
    aside = f"; {'; '.join(now.notices)}" if now.notices else ""
    ready = (
        f"{counted(len(now.modules), 'module')} of {now.configuration} {'is' if len(now.modules) == 1 else 'are'} ready"
    )
    return f"{ready}{f' ({groups})' if groups else ''}{aside}"


def board(root: Root, status: Status | None) -> str:
    """The safety controller answers."""
    now = _running(root, status)
    ids = [module_id for module_id, name in now.modules.items() if name == DRIVER]
    if not ids:
        return "this configuration has no safety controller"
    lost = [fault for fault in now.faults if fault.split(":")[0] in ids and LOST in fault]
    if lost:
        raise Failed(lost[0])
    controller = now.about.get("safety controller")
    if controller is None:
        raise Failed("the safety controller has not answered yet")
    return f"safety controller {controller}"


def broker(root: Root, status: Status | None) -> str:
    """The broker is there, when the configuration has one."""
    now = _running(root, status)
    if not now.broker:
        return "runs without a broker"
    if not now.on_broker:
        raise Failed(f"{now.broker} is not reached")
    return now.broker


def certificates(root: Root, _: Status | None) -> str:
    """What is installed can be read, and no key is open to everybody."""
    folder = root.read("/etc/everest/certs")
    if not folder.is_dir():
        return "none installed"
    count = 0
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            raise Failed(f"{path} cannot be read: {error.strerror}") from error
        if path.suffix == ".pem":
            _check_pem(str(path), content)
            count += 1
        if path.suffix == ".key" and path.stat().st_mode & 0o007:
            raise Failed(f"{path} can be read by everybody")
    return f"{counted(count, 'certificate file')} in {folder}"


def _check_pem(path: str, content: bytes) -> None:
    try:
        from cryptography import x509
    except ImportError:
        return
    if not content.strip():
        return
    try:
        x509.load_pem_x509_certificates(content)
    except ValueError as error:
        raise Failed(f"{path} holds no certificate") from error


def stores(root: Root, _: Status | None) -> str:
    """Every database is whole, and the place where they are can be written."""
    import sqlite3

    # Where this root writes: a checkout's state is not in the checkout.
    folder = root.state / STORES.lstrip("/")
    if not folder.is_dir():
        if root.state == root.static:
            raise Failed(f"{folder} is not there")
        _probe(root.state)
        return f"none yet; the first start makes {folder}"
    count = 0
    for path in sorted(folder.rglob("*.db")):
        try:
            database = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
            try:
                answer = database.execute("PRAGMA quick_check").fetchone()[0]
            finally:
                database.close()
        except sqlite3.Error as error:
            raise Failed(f"{path}: {error}") from error
        if answer != "ok":
            raise Failed(f"{path}: {answer}")
        count += 1
    _probe(folder)
    whole = f"{counted(count, 'database')} {'is' if count == 1 else 'are'} whole, " if count else ""
    return f"{whole}{folder} can be written"


def _probe(folder: Path) -> None:
    """Raise Failed where a folder cannot be written, or the disk is full."""
    import tempfile

    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 4096)
            probe.flush()
    except OSError as error:
        raise Failed(f"{folder} cannot be written: {error.strerror}") from error
