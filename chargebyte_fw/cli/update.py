"""`secc update`: install a signed bundle: a file, or what a folder such as a USB stick brings, once."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargebyte_fw.cli.text import add_root
from chargebyte_fw.kernel.text import read_text_as_is, text_lines

if TYPE_CHECKING:
    from chargebyte_fw.kernel.paths import Root

ENDINGS = (".image", ".raucb")
RECORD = "/srv/installed-from-sticks"
"""What came from a stick: the sum of the image, version and file name, one line each; both slots see it."""
VERSION_FILE = "/usr/share/secc/VERSION"
EXAMINE_S = 120.0
INSTALL_S = 3600.0
WARNING, ERROR = "<4>", "<3>"
"""Priorities as journald reads them at the beginning of a line (sd-daemon(3))."""


class Refused(Exception):
    """RAUC does not take this bundle; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """Description of a bundle whose signature is right."""

    path: Path
    compatible: str
    version: str
    image: str
    """SHA-256 of the root file system in it."""

    def __str__(self) -> str:
        return f"{printable(self.path.name)} ({printable(self.version)})"


@dataclass(frozen=True, slots=True)
class System:
    """What runs here and what is in the slots."""

    compatible: str
    version: str
    images: frozenset[str]
    """Of the slots, as far as RAUC wrote them."""
    proven: bool
    """This system has passed its self check, so the other slot is not needed to fall back to."""


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "update",
        help="install a signed bundle",
        description=__doc__.partition(": ")[2],
        epilog="example: secc update /srv/chargebyte-firmware_chargesom_0.2.0.image --reboot",
    )
    parser.add_argument(
        "place",
        type=Path,
        metavar="FILE|DIR",
        help="a bundle; or a folder: the newest bundle in it for this board, unless it was installed before",
    )
    parser.add_argument("--allow-older", action="store_true", help="also a version that is older than the running one")
    parser.add_argument("--reboot", action="store_true", help="start the new system at once")
    add_root(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Install; exit status 0 when it is installed or there was nothing to do, 1 with one sentence when it failed."""
    from chargebyte_fw.cli.version import first_line
    from chargebyte_fw.kernel.errors import Unavailable
    from chargebyte_fw.kernel.paths import root_at

    root = root_at(arguments.root, hardware=True)
    if arguments.place.is_dir():
        system = look(root)
        bundle, refused = choose(arguments.place, system)
        if bundle is None:
            return 1 if refused else 0
        if is_known(bundle, system, root):
            show(f"{bundle} is installed already, or was: left alone")
            return 0
        if is_older(bundle, system.version) and not arguments.allow_older:
            show(f"{bundle} is older than what runs here ({printable(system.version)}): left alone")
            return 0
        if not system.proven:
            show(f"this system has not passed its self check yet: {bundle} waits until it has", WARNING)
            return 1
    elif arguments.place.is_file():
        try:
            bundle = examine(arguments.place)
        except Refused as refusal:
            raise Unavailable(f"{printable(arguments.place.name)}: {refusal}") from refusal
        running = first_line(root, VERSION_FILE)
        if is_older(bundle, running) and not arguments.allow_older:
            what = f"{bundle} is older than what runs here ({printable(running)})"
            raise Unavailable(f"{what}; --allow-older installs it nevertheless")
    else:
        raise Unavailable(f"{printable(str(arguments.place))} is neither a bundle nor a folder")
    show(f"installing {bundle}")
    install(bundle)
    show(f"installed {bundle}; the next start is with it")
    remember(bundle, root)
    if arguments.reboot:
        done = subprocess.run(["systemctl", "reboot"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Unavailable(f"installed, but systemctl reboot failed: {done.stderr.strip() or done.returncode}")
    return 0


def show(text: str, priority: str = "") -> None:
    """Print for a person, or write to the journal."""
    print((priority if "JOURNAL_STREAM" in os.environ else "") + text, flush=True)


def printable(text: str) -> str:
    """Return a foreign text as one line without control characters."""
    return "".join(one if one.isprintable() else "?" for one in text)[:200]


# --- what is here


def look(root: Root) -> System:
    """Ask RAUC what is in the slots; raises Unavailable."""
    from chargebyte_fw.cli.version import UNKNOWN, booted_slot, first_line
    from chargebyte_fw.kernel.decoding import decode_json
    from chargebyte_fw.kernel.errors import Unavailable

    status, errors = rauc("status", "--detailed", "--output-format=json", limit_s=EXAMINE_S)
    try:
        answer = decode_json(status)
        slots = [entry for one in answer["slots"] for entry in one.values()]
        sums = [slot.get("slot_status", {}).get("checksum", {}).get("sha256") for slot in slots]
        compatible = str(answer["compatible"])
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Unavailable(f"RAUC does not say what is in the slots: {errors or status[:200]}") from error
    version = first_line(root, VERSION_FILE)
    good = first_line(root, f"/var/lib/secc/good-{booted_slot(root)}")
    return System(compatible, version, frozenset(filter(None, sums)), good == version != UNKNOWN)


def is_known(bundle: Bundle, system: System, root: Root) -> bool:
    """Return whether it runs here, is in the other slot, or came from a stick before."""
    if bundle.image in system.images or bundle.version == system.version:
        return True
    try:
        lines = text_lines(read_text_as_is(root.read(RECORD), "replace"))
    except OSError:
        return False
    return any(line.split(" ")[0] == bundle.image for line in lines)


def remember(bundle: Bundle, root: Root) -> None:
    """Note that it is installed. Where that cannot be written, RAUC's own notes and the version still show it."""
    try:
        with root.write(RECORD).open("a", encoding="utf-8") as file:
            file.write(f"{bundle.image} {printable(bundle.version)} {printable(bundle.path.name)}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        show(f"{RECORD} cannot be written: {error.strerror}", WARNING)


# --- bundles


def choose(folder: Path, system: System) -> tuple[Bundle | None, bool]:
    """Return the newest bundle for this board in a folder, and whether one was refused; each other one is printed."""
    found: list[Bundle] = []
    refused = False
    paths = [
        path for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS and not path.name.startswith(".")
    ]
    for path in paths:
        if path.is_symlink() or not path.is_file():
            continue
        try:
            bundle = examine(path)
        except Refused as refusal:
            show(f"{printable(path.name)} is refused: {refusal}", ERROR)
            refused = True
            continue
        if bundle.compatible != system.compatible:
            theirs = printable(bundle.compatible)
            show(f"{bundle} is for {theirs!r}, this board is {system.compatible!r}: left alone", WARNING)
            continue
        found.append(bundle)
    if not paths:
        show(f"no bundle (*{', *'.join(ENDINGS)}) in {printable(str(folder))}")
    return max(found, key=lambda one: age(one.version), default=None), refused


def age(version: str) -> tuple[Any, ...]:
    """Return what versions are ordered by: numbers of the release, pre-release (older), commits since (newer).

    As semantic versioning orders them (`1.0.0-rc.1`), also written without separator (`1.0.0rc1`) and without regard to
    case; the number behind `+` counts the commits since. A text without a number is older than every version.
    """
    text, _, build = version.strip().lower().partition("+")
    found = re.match(r"v?(\d+(?:\.\d+)*)(.*)", text)
    if found is None:
        return ((), (), 0)
    numbers = [int(one) for one in found[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    names = re.findall(r"\d+|[a-z]+", found[2])
    # Semantic versioning §11.4: numbers before words, fewer before more; a release comes after all of its own.
    before = tuple((0, int(one), "") if one.isdigit() else (1, 0, one) for one in names)
    commits = re.match(r"\d+", build)
    return (tuple(numbers) or (0,), before or ((2, 0, ""),), int(commits[0]) if commits else 0)


def is_older(bundle: Bundle, running: str) -> bool:
    """Return whether a bundle would be a step back; where the running version is not known none is."""
    return age(running) > ((), (), 0) and age(bundle.version) < age(running)


def require_utf8(path: Path) -> None:
    """Raise Refused for a name that D-Bus, over which RAUC is called, cannot carry."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        raise Refused("its name is not UTF-8 text: rename the file") from None


def examine(path: Path) -> Bundle:
    """Read a bundle whose signature leads to the keyring; raises Refused."""
    require_utf8(path)
    from chargebyte_fw.kernel.decoding import decode_json

    answer, errors = rauc("info", "--output-format=json", str(path.absolute()), limit_s=EXAMINE_S)
    try:
        content = decode_json(answer)
        images = {name: image for one in content["images"] for name, image in one.items()}
        image = images["rootfs"]
        return Bundle(path.absolute(), str(content["compatible"]), str(content["version"]), str(image["checksum"]))
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        reason = text_lines(errors)[-1] if errors else "it has no root file system"
        raise Refused(printable(reason)) from error


def install(bundle: Bundle) -> None:
    """Let RAUC write the other slot; raises Unavailable with RAUC's last error."""
    from chargebyte_fw.kernel.errors import Unavailable, in_words

    # A person sees how far it is; the journal has RAUC's own lines.
    out = None if sys.stdout.isatty() else subprocess.PIPE
    try:
        done = subprocess.run(
            ["rauc", "install", str(bundle.path)],
            stdout=out,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=INSTALL_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"RAUC did not install {bundle}: {in_words(error)}") from error
    if done.returncode:
        errors = re.findall(r"(?m)^LastError: (.*)$", done.stdout or "")
        raise Unavailable(f"{bundle} is not installed{': ' + printable(errors[-1]) if errors else ''}")


def rauc(*arguments: str, limit_s: float) -> tuple[str, str]:
    """Ask RAUC; returns its answer and its other output. Raises Unavailable where there is no RAUC."""
    from chargebyte_fw.kernel.errors import Unavailable, in_words

    try:
        done = subprocess.run(
            ["rauc", *arguments], capture_output=True, encoding="utf-8", errors="replace", timeout=limit_s
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"RAUC does not answer: {in_words(error)}") from error
    lines = [line for line in text_lines(done.stderr.strip()) if line and "-Message:" not in line]
    return ("" if done.returncode else done.stdout), "\n".join(lines)
