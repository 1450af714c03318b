"""Offline tool: frames of the UART as text, in both directions."""

from __future__ import annotations

from typing import Any

import msgspec

from chargebyte_fw.board.link.messages.charge_som import ChargeControl, FirmwareVersion, Inquiry
from chargebyte_fw.board.link.messages.framing import EOF, FRAME_BYTES, SOF, Frame
from chargebyte_fw.board.link.messages.generations import TODAY, Generation, generation_of


class UartReader:
    """Reads the frames of one recording; how a state is laid out follows the firmware whose version was reported."""

    def __init__(self) -> None:
        self._generation: Generation = TODAY

    def read(self, octets: bytes) -> tuple[str, dict[str, Any]]:
        """Return name and values of a frame: twelve bytes as sent, or COM id and payload as received; never raises."""
        frame = _frame(octets)
        if frame is None:
            return "UART", {"octets": octets.hex()}
        message: Any
        if frame.com_id == ChargeControl.com_id:
            message = ChargeControl.from_payload(frame.payload)
        elif frame.com_id == Inquiry.com_id:
            message = Inquiry.from_payload(frame.payload)
        else:
            message = self._generation.decode(frame)
        if message is None:
            return f"COM id 0x{frame.com_id:02X}", {"payload": frame.payload.hex()}
        if isinstance(message, FirmwareVersion):
            self._generation = generation_of(message)
        names = message.__struct_fields__ if isinstance(message, msgspec.Struct) else vars(message)
        return type(message).__name__, {name: _plain(getattr(message, name)) for name in names}


def _frame(octets: bytes) -> Frame | None:
    if len(octets) == FRAME_BYTES and octets[0] == SOF and octets[-1] == EOF:
        return Frame(octets[1], octets[2:10])
    if len(octets) == FRAME_BYTES - 3:
        return Frame(octets[0], octets[1:])
    return None


def _plain(value: Any) -> Any:
    name = getattr(value, "name", None)
    if isinstance(name, str):
        return name
    return value.hex() if isinstance(value, bytes) else value
