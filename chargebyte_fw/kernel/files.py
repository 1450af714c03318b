"""Files that may be something else: a folder, a pipe, a device or a broken link in their place."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read_regular(path: Path, limit_bytes: int) -> bytes:
    """Return the content of a regular file; raises OSError for anything else, and for more than `limit_bytes`.

    A pipe would be waited for, and a device has no end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError(errno.EISDIR if stat.S_ISDIR(mode) else errno.EINVAL, f"not a file but {kind_of(mode)}")
        content = file.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"larger than {limit_bytes // 1024} KiB")
    return content


def kind_of(mode: int) -> str:
    """Return the name of a kind of file, by its mode."""
    kinds = {stat.S_ISDIR: "a folder", stat.S_ISLNK: "a link to nothing", stat.S_ISFIFO: "a pipe"}
    kinds |= {stat.S_ISSOCK: "a socket", stat.S_ISCHR: "a device", stat.S_ISBLK: "a device"}
    return next((name for is_kind, name in kinds.items() if is_kind(mode)), "something else")


def oddity(path: Path) -> str:
    """Return what is wrong with `path` as an optional file: "" for a file, and for nothing at all."""
    mode, wrong = _mode_of(path)
    return wrong if mode is None or stat.S_ISREG(mode) else kind_of(mode)


def folder_oddity(path: Path) -> str:
    """Return what is wrong with `path` as an optional folder: "" for a folder, and for nothing at all."""
    mode, wrong = _mode_of(path)
    return wrong if mode is None or stat.S_ISDIR(mode) else "no folder"


def _mode_of(path: Path) -> tuple[int | None, str]:
    """Return the mode and "", or no mode and what is wrong ("" for nothing at all)."""
    try:
        return os.stat(path).st_mode, ""
    except FileNotFoundError:
        return None, kind_of(stat.S_IFLNK) if os.path.islink(path) else ""
    except OSError as error:
        return None, f"unreachable ({error.strerror or error})"
