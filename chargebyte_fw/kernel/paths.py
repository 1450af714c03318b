"""Where files are: the root file system of the product and the root where its state goes."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec


class Root(msgspec.Struct, frozen=True):
    """Two trees laid over each other: `static` is what was shipped, `state` is where this run writes.

    On the target both are `/`. In a checkout `static` is the repository and `state` a run root elsewhere.
    """

    static: Path
    state: Path

    def read(self, path: str) -> Path:
        """Resolve an absolute path of the configuration for reading: what this run wrote wins over what was shipped."""
        relative = path.lstrip("/")
        written = os.path.exists(os.path.join(self.state, relative))
        return (self.state if written else self.static) / relative

    def write(self, path: str) -> Path:
        """Resolve an absolute path of the configuration for writing; makes the folder above it.

        Where that cannot be (a read-only or full file system) whoever opens the file hears of it, as of a file that
        cannot be written.
        """
        target = self.state / path.lstrip("/")
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target


def normal(path: str) -> str:
    """Return a path of the configuration as one that names the same place alike; relative ones begin at the root."""
    return os.path.normpath(f"/{path.lstrip('/')}")


def root_at(directory: Path) -> Root:
    """Return the root for `secc --root DIR`: a checkout gets a run root of its own, anything else is used as it is."""
    directory = directory.resolve()
    if not (directory / "setup.cfg").is_file():
        return Root(directory, directory)
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    name = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    state = base / "secc" / name
    state.mkdir(parents=True, exist_ok=True)
    return Root(directory, state)


@contextlib.contextmanager
def socket_path(path: Path) -> Iterator[str]:
    """Yield a name for the Unix socket `path` that fits `sun_path` (107 octets), however deep the folder is.

    The name goes through a descriptor of the folder and is valid inside the context only. Raises OSError when there is
    no such folder.
    """
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
