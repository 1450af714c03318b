"""Where files are: the root file system of the product and the root where its state goes."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from chargebyte_fw.kernel.errors import Unavailable, in_words


class Root(msgspec.Struct, frozen=True):
    """Two trees: `static` is what was shipped, `state` is where this run writes.

    On the target both are `/`. In a checkout `static` is the repository and `state` a run root elsewhere.
    """

    static: Path
    state: Path

    def read(self, path: str) -> Path:
        """Return the file for an absolute path of the configuration: below `state` if there, else below `static`."""
        relative = path.lstrip("/")
        written = os.path.exists(os.path.join(self.state, relative))
        return (self.state if written else self.static) / relative

    def write(self, path: str) -> Path:
        """Return the file to write for an absolute path of the configuration; makes its folder.

        Where that cannot be (a read-only or full file system) opening the file fails, as for a file that
        cannot be written.
        """
        target = self.state / path.lstrip("/")
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target


class PrefixRoot(Root, frozen=True):
    """EVerest's installation prefix: its files are below `static`, what this run writes of its own below `state`.

    Any other absolute path is that of the machine, a relative one begins at the working directory.
    """

    def read(self, path: str) -> Path:
        """Return the file for a path of the configuration or a usual place of the product."""
        if path.startswith(f"/{CONFIGURATIONS}/"):
            return self.static / path.lstrip("/")
        if path.startswith(OWN_PLACES):
            return self.state / path.lstrip("/")
        installed = self.static / path.removeprefix("/usr/")
        return installed if path.startswith("/usr/") and installed.exists() else Path(path)

    def write(self, path: str) -> Path:
        """Return the file to write for a path; makes its folder."""
        target = self.read(path)
        with contextlib.suppress(OSError):
            target.parent.mkdir(parents=True, exist_ok=True)
        return target


def normal(path: str) -> str:
    """Return a path of the configuration as one that names the same place alike; relative ones begin at the root."""
    return os.path.normpath(f"/{path.lstrip('/')}")


OWN_PLACES = ("/var/lib/everest/", "/var/lib/secc/", "/run/everest/", "/run/secc/")
"""Where the product keeps what belongs to a charger: each prefix has its own."""
PACKAGED = Path(__file__).resolve().parents[1] / "shipped"
"""The shipped configurations in an installed package (setup.py puts them there); a checkout has none."""
CONFIGURATIONS = "etc/everest"


def shipped_at(directory: Path) -> Path:
    """Return where the files of `secc --root DIR` are shipped.

    On a machine that is no charger (no /etc/everest), `/` means what came with the installed package.
    """
    directory = directory.resolve()
    is_charger = directory != Path("/") or (directory / CONFIGURATIONS).is_dir()
    return directory if is_charger or not PACKAGED.is_dir() else PACKAGED


def shipped() -> Path:
    """Return where the files that came with this product are: in the package, in its checkout, on the charger."""
    checkout = PACKAGED.parents[1]
    return next((one for one in (PACKAGED, checkout) if (one / CONFIGURATIONS).is_dir()), Path("/"))


def root_at(directory: Path, *, hardware: bool = False) -> Root:
    """Return the root for `secc --root DIR`: a checkout and an installed package get a run root of the user's own.

    Anything else is used as it is, and so is `/` where it is this machine's `hardware` that matters. Raises Unavailable
    when the run root cannot be made.
    """
    directory = directory.resolve() if hardware else shipped_at(directory)
    if directory != PACKAGED and not (directory / "setup.cfg").is_file():
        return Root(directory, directory)
    name = hashlib.sha256(str(directory).encode()).hexdigest()[:12]
    try:
        state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state") / "secc" / name
        state.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError) as error:
        raise Unavailable(f"no folder for the state: {in_words(error)}; name one by XDG_STATE_HOME") from error
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
