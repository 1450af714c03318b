"""The networks of a Qualcomm modem (VS_NW_INFO): ids, role, and the modems it shares them with."""

from __future__ import annotations

import struct
from typing import NamedTuple

from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.modules.slac.declare import CLAUSE, Mme, mme, rest
from chargebyte_fw.modules.slac.messages_vendor import QUALCOMM

ROLES = ("station", "proxy coordinator", "coordinator")
FACTORY_NID = bytes.fromhex("b0f2e695666b03")
"""Network of the key that every modem is made with (its passphrase is HomePlugAV): anybody may join it."""
_NETWORK = struct.Struct("<7sBBB6sBB")
_STATION = struct.Struct("<6sB6sBB")


class Station(NamedTuple):
    """Another modem of a network, with the average rates to and from it, in Mbit/s."""

    mac: bytes
    tei: int = 0
    bridged: bytes = bytes(6)
    """Address of the first host behind it."""
    send_Mbps: int = 0
    receive_Mbps: int = 0


class Network(NamedTuple):
    """A network that the modem is a member of."""

    nid: bytes
    short_nid: int = 0
    tei: int = 0
    role: int = 0
    coordinator: bytes = bytes(6)
    coordinator_tei: int = 0
    stations: tuple[Station, ...] = ()


@mme(0xA039, oui=QUALCOMM)
class VsNwInfoCnf(Mme):
    """Networks of the modem, and who is in them."""

    content: bytes = rest(1400)


def networks_to_content(networks: list[Network]) -> bytes:
    """Return the content of a VsNwInfoCnf."""
    parts = [bytes((len(networks),))]
    for network in networks:
        parts.append(_NETWORK.pack(*network[:6], len(network.stations)))
        parts += [_STATION.pack(*station) for station in network.stations]
    return b"".join(parts)


def networks_from_content(content: bytes) -> list[Network]:
    """Read the content of a VsNwInfoCnf; raises PeerError when it is shorter than its counts require."""
    networks, at = [], 1
    try:
        for _ in range(content[0]):
            nid, short_nid, tei, role, coordinator, coordinator_tei, count = _NETWORK.unpack_from(content, at)
            at += _NETWORK.size
            stations = tuple(Station(*_STATION.unpack_from(content, at + n * _STATION.size)) for n in range(count))
            at += count * _STATION.size
            networks.append(Network(nid, short_nid, tei, role, coordinator, coordinator_tei, stations))
    except (struct.error, IndexError) as error:
        raise PeerError(CLAUSE, f"VS_NW_INFO.CNF announces more than its {len(content)} octets") from error
    return networks
