"""The supportedAppProtocol handshake: the car's offers and the charger's choice (ISO 15118-2 clause 8.2)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from chargebyte_fw.modules.v2g.messages import sap


class AppProtocol(msgspec.Struct, frozen=True):
    """A protocol in the handshake: EVerest's name, name space and version, the schema set, EVerest's text for it."""

    name: str
    namespace: str
    major: int
    minor: int
    schema_set: str
    text: str
    tls_version: str = ""
    """The TLS version that it demands (`1.3`); empty: none."""


DIN70121 = AppProtocol("DIN70121", "urn:din:70121:2012:MsgDef", 2, 0, "din", "DIN70121")
ISO15118D2 = AppProtocol("ISO15118D2", "urn:iso:15118:2:2013:MsgDef", 2, 0, "iso2", "ISO15118-2-2013")
_ISO20 = "urn:iso:std:iso:15118:-20:"
ISO15118D20_DC = AppProtocol("ISO15118D20", f"{_ISO20}DC", 1, 0, "iso20_dc", "ISO15118-20:DC", "1.3")
ISO15118D20_AC = AppProtocol("ISO15118D20", f"{_ISO20}AC", 1, 0, "iso20_ac", "ISO15118-20:AC", "1.3")
ISO15118D20_AC_DER_IEC = AppProtocol(
    "ISO15118D20", f"{_ISO20}AC-DER-IEC", 1, 0, "iso20_ac_der_iec", "ISO15118-20:AC-DER-IEC", "1.3"
)
"""ISO 15118-20 Amendment 1."""


class Choice(msgspec.Struct, frozen=True):
    """The outcome: the protocol and the car's entry for it (None: nothing in common), and the response."""

    protocol: AppProtocol | None
    entry: sap.AppProtocolType | None
    response: sap.supportedAppProtocolRes


def choose(request: sap.supportedAppProtocolReq, protocols: Iterable[AppProtocol]) -> Choice:
    """Choose the entry that the car prefers (priority 1 first) among `protocols` with an equal major version.

    [V2G2-169]: our own support is the filter, the car's priority the order.
    """
    known = {protocol.namespace: protocol for protocol in protocols}
    for entry in sorted(request.AppProtocol, key=lambda entry: entry.Priority):
        protocol = known.get(entry.ProtocolNamespace)
        if protocol is None or protocol.major != entry.VersionNumberMajor:
            continue
        code = sap.responseCodeType.OK_SuccessfulNegotiation
        if entry.VersionNumberMinor != protocol.minor:
            code = sap.responseCodeType.OK_SuccessfulNegotiationWithMinorDeviation
        return Choice(protocol, entry, sap.supportedAppProtocolRes(ResponseCode=code, SchemaID=entry.SchemaID))
    return refuse()


def refuse() -> Choice:
    """Return the choice of nothing ([V2G2-172])."""
    return Choice(None, None, sap.supportedAppProtocolRes(ResponseCode=sap.responseCodeType.Failed_NoNegotiation))


def offer(protocols: Sequence[AppProtocol]) -> sap.supportedAppProtocolReq:
    """Return the car's request for these protocols, best first; the schema ids count from 1."""
    return sap.supportedAppProtocolReq(
        AppProtocol=[
            sap.AppProtocolType(
                ProtocolNamespace=protocol.namespace,
                VersionNumberMajor=protocol.major,
                VersionNumberMinor=protocol.minor,
                SchemaID=place,
                Priority=place,
            )
            for place, protocol in enumerate(protocols, start=1)
        ]
    )


def accepted(response: sap.supportedAppProtocolRes, protocols: Sequence[AppProtocol]) -> AppProtocol | None:
    """Return the protocol that the charger chose from `offer(protocols)`, None when it chose none."""
    if not response.ResponseCode.startswith("OK") or response.SchemaID is None:
        return None
    return dict(enumerate(protocols, start=1)).get(response.SchemaID)
