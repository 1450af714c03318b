"""Decodes frames by what their conversation agreed on in its handshake, or by their first event."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import sdp, v2gtp
from chargebyte_fw.modules.v2g.capture.signed import Signers
from chargebyte_fw.modules.v2g.capture.traffic import V2gFrame
from chargebyte_fw.modules.v2g.exi import AnyCodec, ExiError, codec
from chargebyte_fw.modules.v2g.exi.rendering import one_line, plain
from chargebyte_fw.modules.v2g.messages import sap

SETS = ("sap", "din", "iso2")
NAMESPACES = {
    "urn:din:70121:2012:MsgDef": "din",
    "urn:iso:15118:2:2013:MsgDef": "iso2",
    "urn:iso:15118:2:2010:MsgDef": "iso2",
}
ISO20_SETS = {
    v2gtp.EXI_ISO20_MAIN: "iso20_common",
    v2gtp.EXI_ISO20_AC: "iso20_ac",
    v2gtp.EXI_ISO20_DC: "iso20_dc",
    v2gtp.EXI_ISO20_ACDP: "iso20_acdp",
    v2gtp.EXI_ISO20_WPT: "iso20_wpt",
    v2gtp.EXI_ISO20_AC_DER_IEC: "iso20_ac_der_iec",
    v2gtp.EXI_ISO20_AC_DER_SAE: "iso20_ac_der_sae",
    v2gtp.EXI_ISO20_SCHEDULE_RENEGOTIATION: "iso20_common",
    v2gtp.EXI_ISO20_METERING_CONFIRMATION: "iso20_common",
    v2gtp.EXI_ISO20_ACDP_SYSTEM_STATUS: "iso20_acdp",
    v2gtp.EXI_ISO20_PARKING_STATUS: "iso20_common",
}
"""Schema sets of ISO 15118-20 by V2GTP payload type."""
ISO20_MAIN = "iso20_common"
_LONG = ("Signature", "TimeStamp")
SECURITY = {sdp.SECURITY_TLS: "TLS", sdp.SECURITY_NONE: "none"}


@dataclass(frozen=True, slots=True)
class Reading:
    """The content of a frame. `content` is plain data; `object` the decoded message where there is one."""

    protocol: str
    """The schema set (`sap`, `iso2`, `iso20_dc`, ...), `sdp`, or empty where nothing fits."""
    message: str = ""
    content: Any = None
    session_id: str = ""
    error: str = ""
    object: Any = None
    signature: str = ""
    """What a signature of the message is worth; empty where there is none."""


class Reader:
    """Reads the frames of any number of conversations. `protocol`: `auto`, or the set that messages are of."""

    def __init__(self, protocol: str = "auto") -> None:
        self._protocol = protocol
        self._offers: dict[Hashable, dict[int, str]] = {}
        self._agreed: dict[Hashable, str] = {}
        self._signers = Signers()

    def read(self, frame: V2gFrame) -> Reading:
        """Decode one frame; what is wrong with it is in `error`."""
        if carries_exi(frame):
            reading = self._exi(frame)
            if reading.object is None:
                return reading
            verdict = self._signers.judge(frame.origin.conversation, reading.protocol, reading.object)
            return replace(reading, signature=verdict) if verdict else reading
        if frame.payload_type in (v2gtp.SDP_REQUEST, v2gtp.SDP_RESPONSE):
            return _sdp(frame)
        return Reading("", error=f"unknown payload type 0x{frame.payload_type:04X}")

    def _exi(self, frame: V2gFrame) -> Reading:
        first: tuple[str, ExiError] | None = None
        for name in self._candidates(frame):
            try:
                message = codec(name).decode(frame.payload)
            except ExiError as error:
                first = first or (name, error)
                continue
            if name == "sap":
                self._handshake(frame.origin.conversation, message)
            return reading_of(name, message)
        if first is None:
            return Reading("", error="its first event opens no message of SAP, DIN 70121 or ISO 15118-2 [EXI]")
        return Reading(first[0], error=str(first[1]))

    def _candidates(self, frame: V2gFrame) -> list[str]:
        """Return the sets to try in turn."""
        if frame.payload_type in ISO20_SETS:
            return [ISO20_SETS[frame.payload_type]]
        opened = [name for name in SETS if opens(codec(name), frame.payload)]
        if self._protocol != "auto":
            # Whatever the messages are of, a handshake may come before them.
            return [self._protocol, *(["sap"] if "sap" in opened and self._protocol != "sap" else [])]
        agreed = self._agreed.get(frame.origin.conversation)
        if agreed and agreed not in opened:
            opened.append(agreed)
        return sorted(opened, key=lambda name: name != agreed)

    def _handshake(self, conversation: Hashable, message: Any) -> None:
        if isinstance(message, sap.supportedAppProtocolReq):
            self._offers[conversation] = {entry.SchemaID: entry.ProtocolNamespace for entry in message.AppProtocol}
        elif message.SchemaID is not None:
            namespace = self._offers.get(conversation, {}).get(message.SchemaID, "")
            # Cars sent messages of the main stream of ISO 15118-20 under the payload type of the handshake.
            self._agreed[conversation] = NAMESPACES.get(namespace, ISO20_MAIN if ":15118:-20:" in namespace else "")


def summary(reading: Reading) -> str:
    """Return the content of a message in one line: a signature in words, and no time stamp, which would fill it."""
    if not isinstance(reading.content, dict):
        return str(reading.content or "")
    header = {name: value for name, value in reading.content.get("Header", {}).items() if name not in _LONG}
    content = {name: value for name, value in reading.content.items() if name != "Header"}
    signature = f"signature {reading.signature}" if reading.signature else ""
    return ", ".join(filter(None, (signature, one_line(header), one_line(content))))


def carries_exi(frame: V2gFrame) -> bool:
    """Return whether a frame's payload type is one of messages in EXI."""
    return frame.payload_type == v2gtp.EXI_DIN_ISO2 or frame.payload_type in ISO20_SETS


def opens(chosen: AnyCodec, payload: bytes) -> bool:
    """Return by its first event whether a stream can be a message of a set."""
    bits, codes = chosen.root_bits
    return len(payload) > 1 and payload[1] >> 8 - bits in codes


def reading_of(name: str, message: Any) -> Reading:
    """Describe a decoded message."""
    if name == "sap":
        return Reading(name, type(message).__name__, plain(message), object=message)
    if hasattr(message, "Body"):
        content = {} if message.Body is None else plain(message.Body)
        message_name = "V2G_Message" if message.Body is None else type(message.Body).__name__
    else:
        content = {key: value for key, value in plain(message).items() if key != "Header"}
        message_name = type(message).__name__
    header = {key: value for key, value in plain(message.Header).items() if key != "SessionID"}
    if header:
        content = {"Header": header, **content}
    return Reading(name, message_name, content, message.Header.SessionID.hex(), object=message)


def _sdp(frame: V2gFrame) -> Reading:
    asks = frame.payload_type == v2gtp.SDP_REQUEST
    name = "SDP request" if asks else "SDP response"
    try:
        if asks:
            request = sdp.parse_request(frame.to_bytes())
            return Reading("sdp", name, {"security": SECURITY[request.security], "transport": "TCP"})
        response = sdp.parse_response(frame.to_bytes())
    except PeerError as error:
        return Reading("sdp", name, error=str(error))
    security = SECURITY.get(response.security, f"0x{response.security:02X}")
    transport = "TCP" if response.transport == sdp.TRANSPORT_TCP else f"0x{response.transport:02X}"
    return Reading(
        "sdp",
        name,
        {"address": str(response.address), "port": response.port, "security": security, "transport": transport},
    )
