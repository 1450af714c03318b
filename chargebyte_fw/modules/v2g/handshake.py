"""The SupportedAppProtocol handshake: what the car offers, what the charger takes (ISO 15118-2 clause 8.2)."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from chargebyte_fw.modules.v2g.messages import sap


class Protocol(msgspec.Struct, frozen=True):
    """A protocol we speak: EVerest's name, its name space and version, the schema set, EVerest's text for it."""

    name: str
    namespace: str
    major: int
    minor: int
    schema_set: str
    text: str


DIN70121 = Protocol("DIN70121", "urn:din:70121:2012:MsgDef", 2, 0, "din", "DIN70121")
ISO15118D2 = Protocol("ISO15118D2", "urn:iso:15118:2:2013:MsgDef", 2, 0, "iso2", "ISO15118-2-2013")
PROTOCOLS = {protocol.name: protocol for protocol in (DIN70121, ISO15118D2)}


class Choice(msgspec.Struct, frozen=True):
    """The outcome: the protocol and the car's entry for it (None: nothing in common), and the answer to send."""

    protocol: Protocol | None
    entry: sap.AppProtocolType | None
    response: sap.supportedAppProtocolRes


def choose(request: sap.supportedAppProtocolReq, names: Iterable[str]) -> Choice:
    """Take the entry that the car likes best (priority 1 first) among those we speak with an equal major version."""
    spoken = {PROTOCOLS[name].namespace: PROTOCOLS[name] for name in names if name in PROTOCOLS}
    for entry in sorted(request.AppProtocol, key=lambda entry: entry.Priority):
        protocol = spoken.get(entry.ProtocolNamespace)
        if protocol is None or protocol.major != entry.VersionNumberMajor:
            continue
        code = sap.responseCodeType.OK_SuccessfulNegotiation
        if entry.VersionNumberMinor != protocol.minor:
            code = sap.responseCodeType.OK_SuccessfulNegotiationWithMinorDeviation
        return Choice(protocol, entry, sap.supportedAppProtocolRes(ResponseCode=code, SchemaID=entry.SchemaID))
    return refuse()


def refuse() -> Choice:
    """Agree on nothing."""
    return Choice(None, None, sap.supportedAppProtocolRes(ResponseCode=sap.responseCodeType.Failed_NoNegotiation))


def offer(names: Iterable[str]) -> sap.supportedAppProtocolReq:
    """Return the car's request for these protocols, best first; the schema ids count from 1."""
    return sap.supportedAppProtocolReq(
        AppProtocol=[
            sap.AppProtocolType(
                ProtocolNamespace=PROTOCOLS[name].namespace,
                VersionNumberMajor=PROTOCOLS[name].major,
                VersionNumberMinor=PROTOCOLS[name].minor,
                SchemaID=place,
                Priority=place,
            )
            for place, name in enumerate(names, start=1)
        ]
    )


def accepted(response: sap.supportedAppProtocolRes, names: Iterable[str]) -> Protocol | None:
    """Return the protocol that the charger took from `offer(names)`, None when it took none."""
    if not response.ResponseCode.startswith("OK") or response.SchemaID is None:
        return None
    offered = dict(enumerate(names, start=1))
    name = offered.get(response.SchemaID)
    return None if name is None else PROTOCOLS[name]
