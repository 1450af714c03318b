"""Which back end a car's connection belongs to: its handshake, and what the back ends speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.exi import ExiError, codec
from chargebyte_fw.modules.v2g.handshake import AppProtocol
from chargebyte_fw.modules.v2g.messages import sap
from chargebyte_fw.modules.v2g.secc.facts import Settings
from chargebyte_fw.modules.v2g.secc.negotiation import is_secure_enough
from chargebyte_fw.modules.v2g.security import Security
from chargebyte_fw.modules.v2g.v2gtp import EXI_DIN_ISO2, Frame

ISO20_NAMESPACE = "urn:iso:std:iso:15118:-20"
"""The name spaces of ISO 15118-20 begin with it."""
ISO20 = handshake.ISO15118D20_DC.name
_PLAIN_IS_ALLOWED = Settings(without_tls=True)
"""Whether there is plain TCP is the configuration of the multiplexer: a connection that came so may be used."""


class Candidate(Protocol):
    """What may get a connection."""

    def choice(self, request: sap.supportedAppProtocolReq, security: Security) -> sap.AppProtocolType | None:
        """Return the car's entry that it would select on such a connection; None: no protocol is common."""


class Elsewhere(msgspec.Struct):
    """A back end in another process, of which no more is known than the names that it has published."""

    names: list[str]
    """EVerest's names of what it speaks and may be selected."""

    def choice(self, request: sap.supportedAppProtocolReq, security: Security) -> sap.AppProtocolType | None:
        """Return the car's entry that it would select on such a connection; None: no protocol is common."""
        known = [handshake.DIN70121, handshake.ISO15118D2]
        for entry in request.AppProtocol:
            if entry.ProtocolNamespace.startswith(ISO20_NAMESPACE):
                known.append(AppProtocol(ISO20, entry.ProtocolNamespace, 1, 0, "", "", "1.3"))
        usable = [one for one in known if one.name in self.names and is_secure_enough(one, security, _PLAIN_IS_ALLOWED)]
        return handshake.choose(request, usable).entry


def offers_of(frame: Frame) -> sap.supportedAppProtocolReq | None:
    """Return the car's offers; None for a frame that has none."""
    if frame.payload_type != EXI_DIN_ISO2:
        return None
    try:
        request = codec("sap").decode(frame.payload)
    except ExiError:
        return None
    return request if isinstance(request, sap.supportedAppProtocolReq) else None


def select(request: sap.supportedAppProtocolReq, candidates: Sequence[Candidate], security: Security) -> int:
    """Return the place of the candidate with the protocol that the car prefers, 0 where nothing is common.

    [V2G2-169], [V2G20-169]: what the charger supports is the filter, the car's priority the order within it, and a
    charger that has several back ends is one charger.
    """
    preferred = sorted(request.AppProtocol, key=lambda entry: entry.Priority)
    entries = [one.choice(request, security) for one in candidates]
    ranks = {place: preferred.index(entry) for place, entry in enumerate(entries) if entry is not None}
    return min(ranks, key=lambda place: ranks[place], default=0)
