"""Where certificates and keys lie; nothing here needs the cryptography library."""

from __future__ import annotations

import errno
import os
import random
import stat
from collections.abc import Callable, Iterator
from datetime import datetime
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.contracts.types.evse_security import CaCertificateType, LeafCertificateType
from chargebyte_fw.kernel.paths import Root

PREFIX = "/etc/everest/certs"
"""What relative paths of the configuration are relative to."""
OEM_BUNDLE = "ca/oem/OEM_ROOT_CA.pem"
"""Where roots of vehicle certificates are without a configuration."""
ANCHORS_FILE = "anchors/V2G_AND_OEM_ROOTS.pem"
"""Below the place of the OEM roots: both kinds of trust anchors of vehicle certificates, written when asked for."""
SUCCESSIONS_FILE = "successions/CSMS_ROOTS.pem"
"""Below the place of the CSMS' roots: each root that another one has signed, and that one."""
CERTIFICATE_SUFFIXES = (".pem", ".der")
KEY_SUFFIX = ".key"
TPM_KEY_SUFFIX = ".tkey"
"""A key that only a TPM can use."""
OCSP_FOLDER = "ocsp"
UNFINISHED_SUFFIX = ".new"
"""End of the hidden file or folder that is written before it gets its name (`kernel/store.py`)."""
KEY_MODE, KEY_FOLDER_MODE = 0o600, 0o700
LEAF_PREFIX = {LeafCertificateType.CSMS: "CSMS_LEAF_", LeafCertificateType.V2G: "SECC_LEAF_"}
LARGEST_FILE_BYTES = 1 << 20
"""The roots of the whole web are a quarter of this."""
FULL_BYTES = 50 * 1024 * 1024
FULL_ENTRIES = 2000
"""Beyond this nothing more is installed."""

_numbers = count(1)


class Preference(StrEnum):
    """Which of several valid leaves is used."""

    LATEST_BEGIN = "latest_begin"
    """The one that became valid last, as OCPP's certification expects of a renewed one."""
    LATEST_END = "latest_end"
    """The one that is valid longest, EVerest's rule."""


class LeafPlace(msgspec.Struct, frozen=True):
    """The folders of one kind of leaf certificate and its keys."""

    certificates: Path
    keys: Path


class Layout(msgspec.Struct, frozen=True):
    """Every place of the store. A root place is a file with several certificates or a folder of files."""

    roots: dict[CaCertificateType, Path]
    leaves: dict[LeafCertificateType, LeafPlace]
    oem_roots: Path | None = None
    """Roots of vehicle certificates (ISO 15118-20), for which EVerest's types have no kind."""

    @property
    def root_places(self) -> list[Path]:
        """Return every place of roots."""
        return [*self.roots.values(), *([self.oem_roots] if self.oem_roots is not None else [])]

    def folders(self) -> set[Path]:
        """Return every folder that holds something of the store."""
        places = [place if place.is_dir() else place.parent for place in self.root_places]
        for leaf in self.leaves.values():
            places += [leaf.certificates, leaf.keys]
        return set(places)

    def is_empty(self) -> bool:
        """Return whether there is no certificate: what the store then answers needs no library."""
        places = [place if place.is_dir() else place.parent for place in self.root_places]
        folders = {*places, *(leaf.certificates for leaf in self.leaves.values())}
        return not any(_size(path) for folder in folders for path in files_in(folder, *CERTIFICATE_SUFFIXES))

    def marks(self) -> frozenset[tuple[str, int, int]]:
        """Return what changes whenever a file of the store does: each with its time and size."""
        found = set()
        for folder in self.folders():
            for path in files_in(folder):
                try:
                    stat_result = path.stat()
                except OSError:
                    continue
                found.add((str(path), stat_result.st_mtime_ns, stat_result.st_size))
        return frozenset(found)

    def is_full(self) -> bool:
        """Return whether the store holds so much that nothing more goes in."""
        size = entries = 0
        for folder in self.folders():
            for path in files_in(folder):
                size += _size(path)
                entries += _certificates_in(path)
        return size > FULL_BYTES or entries > FULL_ENTRIES


def layout_of(config: Any, place: Callable[[str], Path]) -> Layout:
    """Return the places that a configuration of `EvseSecurity` names; `place` finds the file or folder of a value."""
    return Layout(
        roots={
            CaCertificateType.CSMS: place(config.csms_ca_bundle),
            CaCertificateType.MF: place(config.mf_ca_bundle),
            CaCertificateType.MO: place(config.mo_ca_bundle),
            CaCertificateType.V2G: place(config.v2g_ca_bundle),
        },
        leaves={
            LeafCertificateType.CSMS: LeafPlace(
                place(config.csms_leaf_cert_directory), place(config.csms_leaf_key_directory)
            ),
            LeafCertificateType.V2G: LeafPlace(
                place(config.secc_leaf_cert_directory), place(config.secc_leaf_key_directory)
            ),
        },
        oem_roots=place(config.oem_ca_bundle),
    )


def absolute(path: str) -> str:
    """Return a configured path with its prefix."""
    return path if path.startswith("/") else f"{PREFIX}/{path}"


def resolve(root: Root, path: str) -> Path:
    """Return the place of a configured path where this run may write; what was shipped there is copied once.

    After a power cut the copy is there as a whole or not at all.
    """
    target = root.write(absolute(path))
    shipped = root.read(absolute(path))
    if not target.exists() and shipped.exists():
        import shutil  # late: it brings every compression library

        unfinished = target.with_name(f".{target.name}{UNFINISHED_SUFFIX}")
        if unfinished.is_dir():
            shutil.rmtree(unfinished)
        if shipped.is_dir():
            shutil.copytree(shipped, unfinished)
        else:
            shutil.copy2(shipped, unfinished)
        for copied in (unfinished, *unfinished.rglob("*")):
            sync(copied)
        unfinished.replace(target)
        sync(target.parent)
    return target


def prepare(layout: Layout) -> list[str]:
    """Make what is missing, remove what a power cut left unfinished, close keys to others; returns what was changed.

    OSError is the caller's.
    """
    for place in layout.root_places:
        if not place.exists():
            if place.suffix in CERTIFICATE_SUFFIXES:
                place.parent.mkdir(parents=True, exist_ok=True)
                place.touch()
            else:
                place.mkdir(parents=True)
    changed = [f"{path} is removed: writing it was interrupted" for path in _remove_unfinished(layout)]
    for leaf in layout.leaves.values():
        leaf.keys.parent.mkdir(parents=True, exist_ok=True)
        leaf.keys.mkdir(mode=KEY_FOLDER_MODE, exist_ok=True)
        leaf.certificates.mkdir(parents=True, exist_ok=True)
    return changed + [f"{path} was open to others and is closed" for path in _close_keys(layout)]


def _remove_unfinished(layout: Layout) -> list[Path]:
    """Remove files that have no name yet, and halves of OCSP entries."""
    removed = []
    for folder in layout.folders():
        for place in (folder, folder / OCSP_FOLDER):
            if place.is_dir():
                hidden = [path for path in place.glob(f".*{UNFINISHED_SUFFIX}") if path.is_file()]
                for path in hidden:
                    path.unlink()
                removed += hidden
        for path in files_in(folder / OCSP_FOLDER, ".hash", ".der"):
            other = path.with_suffix(".der" if path.suffix == ".hash" else ".hash")
            if not other.exists():
                path.unlink()
                removed.append(path)
    return removed


def _close_keys(layout: Layout) -> list[Path]:
    """Take the rights of others from keys and their folders."""
    closed = []
    for folder in dict.fromkeys(leaf.keys for leaf in layout.leaves.values()):
        wanted = [(folder, KEY_FOLDER_MODE), *((path, KEY_MODE) for path in files_in(folder, KEY_SUFFIX))]
        for path, mode in wanted:
            if stat.S_IMODE(path.stat().st_mode) & ~mode & 0o077:
                path.chmod(mode)
                closed.append(path)
    return closed


def sync(path: Path) -> None:
    """Wait until a file or a folder with its entries is on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def overlapping(layout: Layout) -> list[Path]:
    """Return the leaf folders that are also a place of roots: a mistake of the configuration."""
    roots = set(layout.root_places)
    return [leaf.certificates for leaf in layout.leaves.values() if leaf.certificates in roots]


def files_in(folder: Path, *suffixes: str, complain: Callable[[str], None] | None = None) -> list[Path]:
    """Return the files of a folder (and of its OCSP folder) with these endings, in a stable order.

    A folder that is not there has none; of one that cannot be read `complain` is called with the reason.
    """
    found: list[Path] = []
    try:
        found.extend(path for path in _walk(folder) if not suffixes or path.suffix in suffixes)
    except FileNotFoundError:
        return []
    except OSError as error:
        if complain is not None:
            complain(f"{folder} cannot be read: {error.strerror or error}")
    return sorted(found, key=str)


def _size(path: Path) -> int:
    """Return the size of a file in bytes, 0 when it has just gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


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
    # `scandir` needs no look at each file.
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.name == OCSP_FOLDER and entry.is_dir():
                with os.scandir(entry.path) as inner:
                    yield from (folder / OCSP_FOLDER / each.name for each in inner if _is_file(each))
            elif _is_file(entry) and not (entry.is_symlink() and is_name_link(folder / entry.name)):
                yield folder / entry.name


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False  # a link that leads to itself


def new_name(prefix: str, at: datetime, chance: random.Random) -> str:
    """Return a file name without ending that was not used before: EVerest's form, with time, counter and chance."""
    return f"{prefix}{at:M%m_D%d_Y%Y_H%H_M%M_S%S}_i{next(_numbers)}_r{chance.randrange(10**6)}"
