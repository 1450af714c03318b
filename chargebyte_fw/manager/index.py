"""The index of modules, made when an image is built: a start on the target opens one file and scans nothing.

It holds the folders it was made from with the names in them. When the names differ (a module was installed on the
unit), the index is ignored and the folders are read as without it.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from chargebyte_fw.kernel.decoding import decode_json

PLACE = "/usr/share/secc/modules.json"
METADATA = (".dist-info", ".egg-info")


class Entry(msgspec.Struct):
    """One module as discovery found it, without the path of the folder."""

    name: str
    origin: str
    target: str


class Index(msgspec.Struct):
    """What was there when the index was made."""

    distributions: list[str]
    """Names of the metadata folders in the folder of Python packages."""
    modules: list[Entry]
    directories: list[str]
    """Names in the directory of EVerest's modules."""
    programs: list[str]
    """Those among them that hold a module; the others only describe a module of this product."""


def metadata_names(folder: Path) -> list[str] | None:
    """Return the sorted names of metadata folders, None where there is no such folder."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(METADATA))
    except OSError:
        return None


def folder_names(folder: Path) -> list[str]:
    """Return the sorted names in a directory of modules; a missing one is empty."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def read(path: Path) -> Index | None:
    """Return the index, None without one or when it cannot be read."""
    try:
        return decode_json(path.read_bytes(), Index)
    except (OSError, msgspec.DecodeError):
        return None


def write(path: Path, index: Index) -> None:
    """Write the index, one module a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(msgspec.json.format(msgspec.json.encode(index), indent=1) + b"\n")
