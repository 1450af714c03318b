"""What `secc report` packs: each part with its name, what it is, and its content or the reason why there is none."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.redaction import BLANK
from chargebyte_fw.modules.system.logs.archive import JOURNAL_LIMIT, run_command
from chargebyte_fw.modules.system.logs.secrets import redact
from chargebyte_fw.modules.system.logs.sources import FILES

COMMANDS: tuple[tuple[str, ...], ...] = (
    ("date", "--iso-8601=seconds"),
    ("uptime",),
    ("uname", "-a"),
    ("df", "-h"),
    ("free", "-m"),
    ("ip", "-brief", "address"),
    ("systemctl", "status", "--no-pager", "everest.service", "mosquitto.service"),
)
"""The machine's state in short; diagnostics by OCPP or Ethernet (docs/ocpp.md) have more of it."""
JOURNAL = ("journalctl", "--no-pager", "--utc", "--identifier=secc", "--output=short-iso-precise")
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
FILE_LIMIT = 16 << 20
"""Of a longer log the beginning is left out."""


class Item(msgspec.Struct):
    """A file of the archive."""

    name: str
    what: str
    content: bytes | None = None
    missing: str = ""
    """Why it has no content."""


class Wanted(msgspec.Struct, kw_only=True):
    """What the command line chooses."""

    root: Root
    configuration: Path
    log: Path | None = None
    """The log is in this file, in place of the journal."""
    hours: float = 24.0
    trace: bool = True


def items(wanted: Wanted) -> Iterator[Item]:
    """Yield the parts one by one, as they are collected; a part that cannot be had has its reason."""
    yield _item("versions.json", "image, application, safety controller, slot", lambda: _versions(wanted.root))
    yield _item("status.json", "EVSEs, faults with advice, limits, modules, links", lambda: _status(wanted.root))
    yield _item("selftest.json", "what `secc selftest` finds", lambda: _selftest(wanted.root))
    for name, path in _configurations(wanted):
        yield _item(name, f"{path}, secrets blanked", partial(_redacted, path))
    yield _item("check.json", "what `secc check` finds in the configuration", lambda: _check(wanted))
    yield _item("log.txt", _of_log(wanted), lambda: _log(wanted))
    if wanted.trace:
        what = "frames, commands, facts of the last 35 minutes: has the identifiers of cars, no tokens"
        yield _item("trace.cbor", what, lambda: _trace(wanted.root))
    yield _item("certificates.txt", "names, sizes and rights of what is installed, no content", lambda: _listed(wanted))
    yield _item("system.txt", "date, uptime, disk, memory, addresses, services", _system)


def _item(name: str, what: str, content: Callable[[], bytes]) -> Item:
    try:
        return Item(name, what, content())
    except Unavailable as error:
        return Item(name, what, missing=str(error))
    except OSError as error:
        return Item(name, what, missing=f"{error.filename or name}: {error.strerror or error}")


def _as_json(value: Any) -> bytes:
    return redact((json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def _versions(root: Root) -> bytes:
    from chargebyte_fw.cli.version import collect

    return _as_json(collect(root))


def _status(root: Root) -> bytes:
    from chargebyte_fw.manager.status.asking import as_json, ask_status

    return _as_json(as_json(ask_status(root)))


def _selftest(root: Root) -> bytes:
    from chargebyte_fw.cli.selftest import results

    return _as_json(results(root))


def _redacted(path: Path) -> bytes:
    return redact(path.read_bytes())


def _configurations(wanted: Wanted) -> Iterator[tuple[str, Path]]:
    """Yield the configuration, its overlay and the other files of a charger's configuration, as far as they exist."""
    chosen = wanted.configuration
    yield f"configuration/{chosen.name}", chosen
    if (overlay := chosen.parent / "user-config" / chosen.name).is_file():
        yield f"configuration/user-config/{chosen.name}", overlay
    for path in (wanted.root.read(name) for name in FILES if name.startswith("/etc/everest/")):
        if path.is_file() and path not in (chosen, overlay):
            folder = "user-config/" if path.parent.name == "user-config" else ""
            yield f"configuration/{folder}{path.name}", path


def _check(wanted: Wanted) -> bytes:
    from chargebyte_fw.cli.check import as_json
    from chargebyte_fw.manager.configuration.loading import load

    found = as_json(load(wanted.configuration, wanted.root))
    for finding in found["findings"]:
        # A finding quotes what is written there, which may be a password at a wrong place.
        finding.update({key: _QUOTED.sub(f'"{BLANK}"', finding[key]) for key in ("what", "hint")})
    return _as_json(found)


def _of_log(wanted: Wanted) -> str:
    return f"the log, from {wanted.log}" if wanted.log else f"the charger's log of the last {wanted.hours:g} h"


def _log(wanted: Wanted) -> bytes:
    if wanted.log is not None:
        with wanted.log.open("rb") as file:
            file.seek(max(0, wanted.log.stat().st_size - FILE_LIMIT))
            return redact(file.read(FILE_LIMIT))
    since = utc_now() - timedelta(hours=wanted.hours)
    output = asyncio.run(run_command((*JOURNAL, f"--since=@{since.timestamp():.0f}"), JOURNAL_LIMIT))
    if not output.strip() or output.startswith((b"-- No entries", b"(No such file")):
        raise Unavailable("no journal with lines of this charger; a log in a file: --log FILE")
    return redact(output)


def _trace(root: Root) -> bytes:
    from chargebyte_fw.manager.control import NoCharger, ask
    from chargebyte_fw.manager.recording import files

    try:
        answer = ask(root, {"do": "save trace", "why": "report"})
        if "error" in answer:
            raise Unavailable(str(answer["error"]))
        return Path(str(answer["file"])).read_bytes()
    except NoCharger as error:
        saved = files(root)
        if not saved:
            raise Unavailable(f"{error}, and no trace is saved") from None
        return saved[-1].read_bytes()


def _listed(wanted: Wanted) -> bytes:
    folder = wanted.root.read("/etc/everest/certs")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    if not paths:
        raise Unavailable(f"nothing is installed in {folder}")
    rows = [(path.stat(), path.relative_to(folder)) for path in paths]
    return "".join(f"{status.st_mode & 0o777:04o} {status.st_size:>8} {path}\n" for status, path in rows).encode()


def _system() -> bytes:
    async def collect() -> bytes:
        parts = [b"### " + " ".join(one).encode() + b"\n" + await run_command(one) + b"\n" for one in COMMANDS]
        return b"".join(parts)

    return redact(asyncio.run(collect()))
