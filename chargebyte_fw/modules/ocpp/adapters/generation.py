"""Which generation of OCPP a station speaks whose CSMS may choose (`Mode` Prefer1.6 and Prefer2 of OCPPmulti)."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.kernel.log import ModuleLog

NAMES = {True: "1.6", False: "2"}
"""By whether it is 1.6."""


class Generation:
    """The generation that is spoken; where the CSMS may choose, its last choice is kept over a restart."""

    def __init__(self, mode: str, file: Path, log: ModuleLog) -> None:
        self.is_open = mode.startswith("Prefer")
        """Whether the CSMS may choose."""
        self.prefers_16 = mode.endswith("1.6")
        self.is_16 = self.prefers_16
        self._file = file
        self._log = log
        if self.is_open:
            self._read()

    def _read(self) -> None:
        try:
            text = self._file.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            return  # none was chosen yet
        if text in NAMES.values():
            self.is_16 = text == NAMES[True]

    def change(self) -> None:
        """Speak the other one from now on."""
        self.is_16 = not self.is_16

    def keep(self) -> None:
        """Write it down: what happens offline after a restart is for the generation that the CSMS chose."""
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.write_text(NAMES[self.is_16] + "\n", encoding="ascii")
        except OSError as error:
            self._log.warning("the version that the CSMS chose is not kept over a restart: %s", error)
