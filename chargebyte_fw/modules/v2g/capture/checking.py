"""Reads recorded frames, writes them again and compares: a codec is right when not one bit differs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from chargebyte_fw.modules.v2g.capture.reading import Reader, carries_exi
from chargebyte_fw.modules.v2g.capture.traffic import Item, Trouble, V2gFrame
from chargebyte_fw.modules.v2g.exi import EncodeError, bit_difference, codec


@dataclass
class Tally:
    """What was compared so far."""

    frames: int = 0
    mismatches: int = 0


def check(items: Iterable[Item], reader: Reader, tally: Tally) -> Iterator[str]:
    """Yield one line for each frame that is not the same again, and count in `tally`."""
    for item in items:
        if isinstance(item, Trouble) and item.is_error:
            tally.frames += 1
            tally.mismatches += 1
            yield f"{item.origin.place}: {item.what}"
        if not isinstance(item, V2gFrame):
            continue
        reading = reader.read(item)
        if not carries_exi(item) and not reading.error:
            continue
        tally.frames += 1
        problem = reading.error or _mismatch(item, reading.protocol, reading.object)
        if problem:
            tally.mismatches += 1
            yield f"{item.origin.place}: {' '.join(filter(None, (reading.protocol, reading.message)))}: {problem}"


def _mismatch(frame: V2gFrame, protocol: str, message: object) -> str:
    chosen = codec(protocol)
    try:
        written = chosen.encode(message)
    except EncodeError as error:
        return f"cannot be written again: {error}"
    bit = bit_difference(frame.payload, written)
    if bit is None:
        return ""
    place = chosen.place(frame.payload, bit)
    where = f"in {place}" if place else "behind the end of the message"
    return f"bit {bit} differs: recorded {_bit(frame.payload, bit)}, written {_bit(written, bit)}, {where}"


def _bit(octets: bytes, bit: int) -> str:
    return str(octets[bit // 8] >> 7 - bit % 8 & 1) if bit < 8 * len(octets) else "nothing"
