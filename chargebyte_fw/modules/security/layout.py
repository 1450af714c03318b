"""Where certificates and keys lie; nothing here needs the cryptography library."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

import msgspec

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, LeafCertificateType
from chargebyte_fw.kernel.paths import Root

PREFIX = "/etc/everest/certs"
"""What relative paths of the configuration are relative to."""
CERTIFICATE_SUFFIXES = (".pem", ".der")
KEY_SUFFIX = ".key"
OCSP_FOLDER = "ocsp"
LEAF_PREFIX = {LeafCertificateType.CSMS: "CSMS_LEAF_", LeafCertificateType.V2G: "SECC_LEAF_"}
LARGEST_FILE_BYTES = 1 << 20
"""The roots of the whole web are a quarter of this."""
FULL_BYTES = 50 * 1024 * 1024
FULL_ENTRIES = 2000
"""Beyond this nothing more is installed."""

_numbers = count(1)


class LeafPlace(msgspec.Struct, frozen=True):
    """The folders of one kind of leaf certificate and its keys."""

    certificates: Path
    keys: Path


class Layout(msgspec.Struct, frozen=True):
    """Every place of the store. A root place is a file with several certificates or a folder of files."""

    roots: dict[CaCertificateType, Path]
    leaves: dict[LeafCertificateType, LeafPlace]

    def folders(self) -> set[Path]:
        """Return every folder that holds something of the store."""
        places = [place if place.is_dir() else place.parent for place in self.roots.values()]
        for leaf in self.leaves.values():
            places += [leaf.certificates, leaf.keys]
        return set(places)

    def is_full(self) -> bool:
        """Return whether the store holds so much that nothing more goes in."""
        size = entries = 0
        for folder in self.folders():
            for path in files_in(folder):
                size += path.stat().st_size
                entries += _certificates_in(path)
        return size > FULL_BYTES or entries > FULL_ENTRIES


def absolute(path: str) -> str:
    """Return a configured path with its prefix."""
    return path if path.startswith("/") else f"{PREFIX}/{path}"


def resolve(root: Root, path: str) -> Path:
    """Return the place of a configured path where this run may write; what was shipped there is copied once."""
    target = root.write(absolute(path))
    shipped = root.read(absolute(path))
    if not target.exists() and shipped.exists():
        import shutil  # late: it brings every compression library

        if shipped.is_dir():
            shutil.copytree(shipped, target)
        else:
            shutil.copy2(shipped, target)
    return target


def prepare(layout: Layout) -> None:
    """Make the folders and bundle files that are missing (keys are for us alone). OSError is the caller's."""
    for place in layout.roots.values():
        if not place.exists():
            if place.suffix in CERTIFICATE_SUFFIXES:
                place.touch()
            else:
                place.mkdir(parents=True)
    for leaf in layout.leaves.values():
        leaf.certificates.mkdir(parents=True, exist_ok=True)
        if not leaf.keys.exists():
            leaf.keys.mkdir(parents=True, mode=0o700)


def overlapping(layout: Layout) -> list[Path]:
    """Return the leaf folders that are also a place of roots: a mistake of the configuration."""
    roots = set(layout.roots.values())
    return [leaf.certificates for leaf in layout.leaves.values() if leaf.certificates in roots]


def files_in(folder: Path, *suffixes: str) -> list[Path]:
    """Return the files of a folder (and of its OCSP folder) with these endings, in a stable order."""
    if not folder.is_dir():
        return []
    return sorted(path for path in _walk(folder) if not suffixes or path.suffix in suffixes)


def read_file(path: Path) -> bytes:
    """Return what is in a file of the store; raises OSError, also for one that is too large to be of it."""
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE_BYTES + 1)
    if len(data) > LARGEST_FILE_BYTES:
        raise OSError(errno.EFBIG, f"is larger than {LARGEST_FILE_BYTES >> 20} MiB")
    return data


def _certificates_in(path: Path) -> int:
    if path.suffix not in CERTIFICATE_SUFFIXES or path.parent.name == OCSP_FOLDER:
        return 0
    try:
        return read_file(path).count(b"-----BEGIN CERTIFICATE") or int(path.suffix == ".der")
    except OSError:
        return 0  # what cannot be read holds nothing that could be deleted


def is_name_link(path: Path) -> bool:
    """Return whether it is a link `<hash>.<n>` by which OpenSSL finds another file of the folder."""
    return path.is_symlink() and path.suffix[1:].isdigit()


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith("."):
            continue
        if path.is_file() and not is_name_link(path):
            yield path
        elif path.is_dir() and path.name == OCSP_FOLDER:
            yield from (inner for inner in path.iterdir() if inner.is_file())


def new_name(prefix: str, at: datetime, chance: random.Random) -> str:
    """Return a file name without ending that was not used before: EVerest's form, with time, counter and chance."""
    return f"{prefix}{at:M%m_D%d_Y%Y_H%H_M%M_S%S}_i{next(_numbers)}_r{chance.randrange(10**6)}"
