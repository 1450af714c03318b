"""The serial port of a Modbus bus: opened, watched, opened again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from chargebyte_fw.kernel.errors import Unavailable, in_words
from chargebyte_fw.kernel.memory import WireEnd
from chargebyte_fw.kernel.serial_reading import SerialReading
from chargebyte_fw.kernel.wires import Wires

PARITIES = "NOE"


class Line(msgspec.Struct, frozen=True):
    """How the line is set."""

    path: str
    baud: int
    parity: int
    rtscts: bool


class SerialLink:
    """One port; `received` is called with bytes, `lost` with the reason when it is gone."""

    def __init__(
        self, line: Line, file: Path, wires: Wires, received: Callable[[bytes], None], lost: Callable[[str], None]
    ) -> None:
        self._line = line
        self._file = file
        self._wire: WireEnd | None = wires.find(f"serial:{line.path}")
        self._received = received
        self._lost = lost
        self._port: Any = None
        self._reading: SerialReading | None = None

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return self._wire is not None or self._port is not None

    def open(self) -> None:
        """Open the port; raises Unavailable."""
        if self._wire is not None:
            self._wire.receive = self._received
            return
        import serial

        try:
            self._port = serial.Serial(
                str(self._file),
                self._line.baud,
                parity=PARITIES[self._line.parity],
                rtscts=self._line.rtscts,
                timeout=0,
                write_timeout=0,
                exclusive=True,
            )
        except (OSError, ValueError) as error:
            raise Unavailable(f"{self._line.path} cannot be opened: {in_words(error, of_file=False)}") from error
        self._reading = SerialReading(self._port.fileno(), self._received, self._gone)

    def send(self, frame: bytes) -> None:
        """Send a frame; one that the port cannot take whole is lost, and asked for again."""
        if self._wire is not None:
            self._wire.send(frame)
        elif self._port is not None:
            try:
                os.write(self._port.fileno(), frame)
            except BlockingIOError:
                return
            except OSError as error:
                self._gone(error)

    def close(self) -> None:
        """Give the port back."""
        if self._wire is not None:
            self._wire.receive = None
        if self._reading is not None:
            self._reading.close()
            self._reading = None
            self._port.close()
            self._port = None

    def _gone(self, error: OSError) -> None:
        self.close()
        self._lost(f"{self._line.path} is gone: {error.strerror or error}")
