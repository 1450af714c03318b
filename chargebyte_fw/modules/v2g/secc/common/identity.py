"""Identifiers of both sides as they are on the wire (ISO 15118-2 clause 8.4.3.2.2, DIN SPEC 70121 clause 9.4.1.2)."""

from __future__ import annotations

MAC_BYTES = 6
NO_EVSE_ID = "ZZ00000"
"""The EVSE id of a charger that has none in ISO 15118-2."""
NO_EVSE_ID_DIN = b"\0"
"""The same in DIN SPEC 70121."""
EVSE_ID_BYTES_DIN = 32


def is_evse_id(text: str) -> bool:
    """Whether ISO 15118-2's schema can carry an EVSE id: 7 to 37 characters."""
    return 7 <= len(text) <= 37


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
