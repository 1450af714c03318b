"""SDP: how the car finds the charger's address (ISO 15118-2 clause 7.10.1). Request and response, no sockets."""

from __future__ import annotations

import ipaddress
import struct

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.v2g import v2gtp

PORT = 15118
MULTICAST = "ff02::1"
SECURITY_TLS = 0x00
SECURITY_NONE = 0x10
TRANSPORT_TCP = 0x00


class Request(msgspec.Struct, frozen=True):
    """The car's request: transport security and transport protocol."""

    security: int = SECURITY_NONE
    transport: int = TRANSPORT_TCP

    def to_bytes(self) -> bytes:
        """Return the datagram."""
        return v2gtp.Frame(v2gtp.SDP_REQUEST, bytes((self.security, self.transport))).to_bytes()


class Response(msgspec.Struct, frozen=True):
    """Where the charger listens."""

    address: ipaddress.IPv6Address
    port: int
    security: int = SECURITY_NONE
    transport: int = TRANSPORT_TCP

    def to_bytes(self) -> bytes:
        """Return the datagram."""
        payload = self.address.packed + struct.pack(">HBB", self.port, self.security, self.transport)
        return v2gtp.Frame(v2gtp.SDP_RESPONSE, payload).to_bytes()


def parse_request(data: bytes) -> Request:
    """Read a request datagram; raises PeerError."""
    frame = v2gtp.parse_datagram(data)
    if frame.payload_type != v2gtp.SDP_REQUEST or len(frame.payload) != 2:
        raise PeerError("SDP", f"payload type 0x{frame.payload_type:04X} with {len(frame.payload)} bytes is no request")
    request = Request(frame.payload[0], frame.payload[1])
    if request.transport != TRANSPORT_TCP:
        raise PeerError("SDP", f"transport 0x{request.transport:02X} where only TCP (0x00) exists")
    if request.security not in (SECURITY_TLS, SECURITY_NONE):
        raise PeerError("SDP", f"security 0x{request.security:02X} is neither TLS (0x00) nor none (0x10)")
    return request


def parse_response(data: bytes) -> Response:
    """Read a response datagram; raises PeerError."""
    frame = v2gtp.parse_datagram(data)
    if frame.payload_type != v2gtp.SDP_RESPONSE or len(frame.payload) != 20:
        raise PeerError(
            "SDP", f"payload type 0x{frame.payload_type:04X} with {len(frame.payload)} bytes is no response"
        )
    port, security, transport = struct.unpack(">HBB", frame.payload[16:])
    return Response(ipaddress.IPv6Address(frame.payload[:16]), port, security, transport)
