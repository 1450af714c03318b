"""EVCCID, by which a car identifies itself (ISO 15118-2 clause 8.4.3.2.2, DIN SPEC 70121 clause 9.4.1.2)."""

from __future__ import annotations

MAC_BYTES = 6


def mac_of_evcc_id(octets: bytes) -> bytes | None:
    """Return the six octets of a MAC address, None where the EVCCID is none.

    DIN SPEC 70121 gives the address a field of up to eight octets, which cars pad with zeros in front or behind. Octets
    are never cut off or made up otherwise: two cars would become one, and pay for each other (Autocharge).
    """
    padding = len(octets) - MAC_BYTES
    if padding == 0:
        return octets
    if padding in (1, 2):
        zeros = bytes(padding)
        if octets.startswith(zeros):
            return octets[padding:]
        if octets.endswith(zeros):
            return octets[:MAC_BYTES]
    return None
