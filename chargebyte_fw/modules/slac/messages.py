"""Every MME of the SLAC match, as declarations (HomePlug Green PHY, ISO 15118-3 Annex A), and the frame around them.

Vendor MMEs for the local modem are in `messages_vendor.py`. `decode` is the way in, `Frame.encode` the way out.
"""

from __future__ import annotations

import struct
from enum import IntEnum

import msgspec

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.slac import messages_vendor as messages_vendor  # so that `decode` knows them, too
from chargebyte_fw.modules.slac.declare import CLAUSE, Mme, counted, find, mme, number, octets, rest

ETHERTYPE = 0x88E1
BROADCAST = b"\xff" * 6
GROUP_BIT = 0x01
"""In the first octet of an address: broadcast or multicast."""
MODEM_MAC = bytes.fromhex("00b052000001")
"""Where every HomePlug modem takes messages of its own host, whatever its own address is."""
MINIMUM_FRAME = 60
"""Ethernet frames are at least this long (without checksum)."""
HEADER = 14
NEWEST_MMV = 2
"""MMV: 0 is HomePlug AV 1.0, 1 is AV 1.1, 2 is AV 2.0."""
GROUPS = 58
"""Carrier groups of an attenuation profile."""
MVF_LENGTH_REQ = 0x3E
MVF_LENGTH_CNF = 0x56
KEY_TYPE_NMK = 1
PROTOCOL_HLE = 4
SENT_TO_GP_STATION = 1
"""Response type: the result goes to another Green PHY station."""


class ValidateResult(IntEnum):
    """Result of a CM_VALIDATE."""

    NOT_READY = 0
    READY = 1
    SUCCESS = 2
    FAILURE = 3
    NOT_REQUIRED = 4


@mme(0x6008)
class CmSetKeyReq(Mme):
    """Host to its modem: be a member of the network with this key."""

    key_type: int = number(1, KEY_TYPE_NMK)
    my_nonce: int = number(4)
    your_nonce: int = number(4)
    pid: int = number(1, PROTOCOL_HLE)
    prn: int = number(2)
    pmn: int = number(1)
    cco_capability: int = number(1)
    nid: bytes = octets(7)
    new_eks: int = number(1, 1)
    new_key: bytes = octets(16)


@mme(0x6009)
class CmSetKeyCnf(Mme):
    """Modem to its host: the key is set. Chips answer 1 where the specification has 0 for success."""

    result: int = number(1, 1)
    my_nonce: int = number(4)
    your_nonce: int = number(4)
    pid: int = number(1, PROTOCOL_HLE)
    prn: int = number(2)
    pmn: int = number(1)
    cco_capability: int = number(1)


@mme(0x601C)
class CmAmpMapReq(Mme):
    """EV to EVSE: use these amplitudes, two carriers an octet."""

    length: int = number(2)
    amplitudes: bytes = rest(1100)


@mme(0x601D)
class CmAmpMapCnf(Mme):
    """Answer to an amplitude map: 0 is success."""

    response_type: int = number()


@mme(0x6064)
class CmSlacParmReq(Mme):
    """EV to everybody: who is there, and with which parameters shall we sound?"""

    application_type: int = number()
    security_type: int = number()
    run_id: bytes = octets(8)


@mme(0x6065)
class CmSlacParmCnf(Mme):
    """EVSE to EV: sound like this."""

    msound_target: bytes = octets(6, BROADCAST)
    num_sounds: int = number(1, 10)
    timeout_100ms: int = number(1, 6)
    response_type: int = number(1, SENT_TO_GP_STATION)
    forwarding_station: bytes = octets(6)
    application_type: int = number()
    security_type: int = number()
    run_id: bytes = octets(8)


@mme(0x606A)
class CmStartAttenCharInd(Mme):
    """EV to everybody: the sounds begin."""

    application_type: int = number()
    security_type: int = number()
    num_sounds: int = number(1, 10)
    timeout_100ms: int = number(1, 6)
    response_type: int = number(1, SENT_TO_GP_STATION)
    forwarding_station: bytes = octets(6)
    run_id: bytes = octets(8)


@mme(0x606E)
class CmAttenCharInd(Mme):
    """EVSE to EV: this is how your sounds arrived, averaged by carrier group, in dB."""

    application_type: int = number()
    security_type: int = number()
    source_address: bytes = octets(6)
    run_id: bytes = octets(8)
    source_id: bytes = octets(17)
    response_id: bytes = octets(17)
    num_sounds: int = number()
    num_groups: int = number(1, GROUPS)
    attenuation_dB: bytes = counted("num_groups", bytes(GROUPS))


@mme(0x606F)
class CmAttenCharRsp(Mme):
    """EV to EVSE: the profile was received; result 0 is success."""

    application_type: int = number()
    security_type: int = number()
    source_address: bytes = octets(6)
    run_id: bytes = octets(8)
    source_id: bytes = octets(17)
    response_id: bytes = octets(17)
    result: int = number()


@mme(0x6076)
class CmMnbcSoundInd(Mme):
    """EV to everybody: one sound; modems that receive it measure its attenuation. Some cars leave off random octets."""

    application_type: int = number()
    security_type: int = number()
    sender_id: bytes = octets(17)
    remaining_sounds: int = number()
    run_id: bytes = octets(8)
    reserved: bytes = octets(8)
    random: bytes = rest(16, bytes(16))


@mme(0x6078)
class CmValidateReq(Mme):
    """EV to EVSE: shall we prove by toggling the pilot that we share a cable?"""

    signal_type: int = number()
    timer_100ms: int = number()
    result: int = number(1, ValidateResult.READY)


@mme(0x6079)
class CmValidateCnf(Mme):
    """EVSE to EV: whether, and how many toggles were seen."""

    signal_type: int = number()
    toggle_num: int = number()
    result: int = number(1, ValidateResult.FAILURE)


@mme(0x607C)
class CmSlacMatchReq(Mme):
    """EV to the EVSE it chose: let us match."""

    application_type: int = number()
    security_type: int = number()
    mvf_length: int = number(2, MVF_LENGTH_REQ)
    pev_id: bytes = octets(17)
    pev_mac: bytes = octets(6)
    evse_id: bytes = octets(17)
    evse_mac: bytes = octets(6)
    run_id: bytes = octets(8)
    reserved: bytes = octets(8)


@mme(0x607D)
class CmSlacMatchCnf(Mme):
    """EVSE to EV: matched; this is our network and its key."""

    application_type: int = number()
    security_type: int = number()
    mvf_length: int = number(2, MVF_LENGTH_CNF)
    pev_id: bytes = octets(17)
    pev_mac: bytes = octets(6)
    evse_id: bytes = octets(17)
    evse_mac: bytes = octets(6)
    run_id: bytes = octets(8)
    reserved: bytes = octets(8)
    nid: bytes = octets(7)
    reserved_2: bytes = octets(1)
    nmk: bytes = octets(16)


@mme(0x6086)
class CmAttenProfileInd(Mme):
    """Modem to its host: one sound of this EV arrived with this attenuation, in dB by carrier group."""

    pev_mac: bytes = octets(6)
    num_groups: int = number(1, GROUPS)
    reserved: bytes = octets(1)
    attenuation_dB: bytes = counted("num_groups", bytes(GROUPS))


class Unknown(msgspec.Struct, frozen=True):
    """An MME that is not declared here, or one fragment of a longer one; it is kept, shown and left alone."""

    type: int
    octets: bytes
    mmv: int = 1
    fragmentation: int = 0
    """FMI as sent; not zero: a fragment."""

    @property
    def title(self) -> str:
        """What to call it."""
        return f"{'fragment of ' if self.fragmentation else ''}MME {self.type:04X}"

    def payload(self) -> bytes:
        """Return the octets after the header."""
        return self.octets


class Frame(msgspec.Struct, frozen=True):
    """One Ethernet frame with its MME."""

    destination: bytes
    source: bytes
    message: Mme | Unknown

    def encode(self) -> bytes:
        """Return the frame from the destination address on, padded, without checksum."""
        message = self.message
        head = self.destination + self.source + struct.pack(">HB", ETHERTYPE, message.mmv)
        head += struct.pack("<H", message.type)
        if message.mmv:
            head += struct.pack(">H", message.fragmentation if isinstance(message, Unknown) else 0)
        return (head + message.payload()).ljust(MINIMUM_FRAME, b"\0")


def decode(frame: bytes) -> Frame:
    """Read one Ethernet frame; raises PeerError when it is no HomePlug frame or too short for what it claims to be."""
    if len(frame) < HEADER + 3:
        raise PeerError(CLAUSE, f"a frame of {len(frame)} octets")
    ethertype, mmv = struct.unpack_from(">HB", frame, 12)
    if ethertype != ETHERTYPE:
        raise PeerError(CLAUSE, f"EtherType {ethertype:04X} instead of {ETHERTYPE:04X}")
    if mmv > NEWEST_MMV:
        raise PeerError(CLAUSE, f"MME version {mmv}")
    (mmtype,) = struct.unpack_from("<H", frame, 15)
    start, fragmentation = 17, 0
    if mmv:
        if len(frame) < 19:
            raise PeerError(CLAUSE, f"a frame of {len(frame)} octets")
        (fragmentation,) = struct.unpack_from(">H", frame, 17)
        start = 19
    payload = frame[start:]
    declaration = find(mmtype, payload)
    # The upper four bits of FMI count the fragments: anything but zero is a part of a longer MME.
    if declaration is None or fragmentation >> 12:
        return Frame(frame[:6], frame[6:12], Unknown(mmtype, payload, mmv, fragmentation))
    return Frame(frame[:6], frame[6:12], declaration.from_payload(payload))


def mac_text(mac: bytes) -> str:
    """Write a MAC address as EVerest does: `AA:BB:CC:DD:EE:FF`."""
    return mac.hex(":").upper()
