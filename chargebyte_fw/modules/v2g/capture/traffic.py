"""What there is to decode, whatever it was read from: V2GTP frames, HomePlug frames, and what could not be read."""

from __future__ import annotations

import json
import re
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import v2gtp
from chargebyte_fw.modules.v2g.capture.files import CaptureError
from chargebyte_fw.modules.v2g.exi.codec import HEADER


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something was found (`packet 12`, `line 3`), when, and who sent it to whom, as far as it is known."""

    place: str
    time_s: float | None = None
    source: str = ""
    destination: str = ""
    conversation: Hashable = None
    """Frames of one conversation share a handshake."""


@dataclass(frozen=True, slots=True)
class V2gFrame:
    """One V2GTP frame."""

    origin: Origin
    payload_type: int
    payload: bytes

    def to_bytes(self) -> bytes:
        """Return the frame as it was on the wire."""
        return v2gtp.Frame(self.payload_type, self.payload).to_bytes()


@dataclass(frozen=True, slots=True)
class HomeplugFrame:
    """One HomePlug frame, from the destination address on."""

    origin: Origin
    frame: bytes


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that could not be read, where more follows. `is_error` False: worth a remark, no more."""

    origin: Origin
    what: str
    is_error: bool = True


Item = V2gFrame | HomeplugFrame | Trouble


def of_hex(text: str, place: str) -> Item:
    """Read one frame in hex: a V2GTP frame, or an EXI payload alone; raises CaptureError when it is no hex."""
    digits = re.sub(r"0[xX]|[\s:,;\-]", "", text)
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        wrong = re.search(r"[^0-9a-fA-F]", digits)
        raise CaptureError(place, f"{wrong[0]!r} is no hex digit" if wrong else "an odd number of hex digits") from None
    return of_octets(octets, Origin(place))


def of_octets(octets: bytes, origin: Origin) -> Item:
    """Return the item of one frame's octets."""
    if octets[:1] == bytes([HEADER]):
        return V2gFrame(origin, v2gtp.EXI_DIN_ISO2, octets)
    try:
        frame = v2gtp.parse_datagram(octets)
    except PeerError as error:
        return Trouble(origin, str(error))
    return V2gFrame(origin, frame.payload_type, frame.payload)


def of_json_lines(lines: Iterable[str], name: str) -> Iterator[Item]:
    """Yield the `frame` of each JSON line; raises CaptureError at a line that has none."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CaptureError(where, f"no JSON: {error}") from None
        if not isinstance(entry, dict) or not isinstance(entry.get("frame"), str):
            raise CaptureError(where, "an object with a `frame` in hex is needed")
        item = of_hex(entry["frame"], where)
        side = {"request": ("car", "charger"), "response": ("charger", "car")}.get(str(entry.get("side")), ("", ""))
        source, destination = (entry.get(key) or usual for key, usual in zip(("source", "destination"), side))
        time_s = entry.get("time_s")
        origin = Origin(
            f"line {number}",
            time_s if isinstance(time_s, float) else None,
            str(source),
            str(destination),
            (str(entry.get("protocol")), str(entry.get("session") or "")),
        )
        yield _at(item, origin)


def of_hex_lines(lines: Iterable[str], name: str) -> Iterator[Item]:
    """Yield one frame a line of hex; raises CaptureError at a line that is none."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _at(of_hex(line, f"{name}:{number}"), Origin(f"line {number}"))


def _at(item: Item, origin: Origin) -> Item:
    if isinstance(item, V2gFrame):
        return V2gFrame(origin, item.payload_type, item.payload)
    if isinstance(item, Trouble):
        return Trouble(origin, item.what, item.is_error)
    return HomeplugFrame(origin, item.frame)
