"""What must be remembered over a power cut while the flash is being changed, one set of files a UART.

`<tty>.flashing` is there while the code flash is not whole; `<tty>.parameters.bin` is the data flash as it was before
it was erased. Both are gone when the work is done and proven. `/run/ra-utils/<tty>.yaml` is the parameter block as it
was seen at this boot, for everybody to read.
"""

from __future__ import annotations

import os
from pathlib import Path

from chargebyte_fw.kernel.paths import Root

FOLDER = "/var/lib/secc/mcu"
SEEN_FOLDER = "/run/ra-utils"


class FlashRecord:
    """The files of one controller."""

    def __init__(self, root: Root, uart: str) -> None:
        name = Path(uart).name
        self._root = root
        self._flashing = f"{FOLDER}/{name}.flashing"
        self._block = f"{FOLDER}/{name}.parameters.bin"
        self._seen = f"{SEEN_FOLDER}/{name}.yaml"

    @property
    def is_flashing(self) -> bool:
        """Whether an earlier run began to change the code flash and did not come to its end."""
        return self._root.read(self._flashing).exists()

    def begin_flashing(self, what: str) -> None:
        """Remember that the code flash is not whole from now on."""
        self._write(self._flashing, what.encode())

    def end_flashing(self) -> None:
        """The code flash is whole."""
        self._remove(self._flashing)

    @property
    def block(self) -> bytes:
        """The parameter block that an earlier run had saved and not yet replaced; empty: none."""
        path = self._root.read(self._block)
        return path.read_bytes() if path.exists() else b""

    def save_block(self, block: bytes) -> None:
        """Save a parameter block before the data flash is erased."""
        self._write(self._block, block)

    def drop_block(self) -> None:
        """The parameter block is safe in the data flash."""
        self._remove(self._block)

    def show_parameters(self, text: str) -> None:
        """Leave the parameter block as text; raises OSError where that cannot be written."""
        path = self._root.write(self._seen)
        beside = path.with_name(path.name + ".new")
        beside.write_text(text, "utf-8")
        beside.chmod(0o644)
        beside.replace(path)

    def _write(self, name: str, content: bytes) -> None:
        path = self._root.write(name)
        beside = path.with_name(path.name + ".new")
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        self._settle(path.parent)

    def _remove(self, name: str) -> None:
        path = self._root.write(name)
        path.unlink(missing_ok=True)
        self._settle(path.parent)

    def _settle(self, folder: Path) -> None:
        """Make the folder's change last over a power cut."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
