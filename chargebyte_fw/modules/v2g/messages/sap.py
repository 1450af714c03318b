"""The SupportedAppProtocol handshake (ISO 15118-2 clause 8.2): `supportedAppProtocolReq`, `supportedAppProtocolRes`."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages.model import (
    Coding,
    Occurs,
    Schema,
    Type,
    xs_unsignedInt,
)

NAMESPACE = "urn:iso:15118:2:2010:AppProtocol"


class responseCodeType(StrEnum):
    OK_SuccessfulNegotiation = "OK_SuccessfulNegotiation"
    OK_SuccessfulNegotiationWithMinorDeviation = "OK_SuccessfulNegotiationWithMinorDeviation"
    Failed_NoNegotiation = "Failed_NoNegotiation"


idType = Annotated[int, Coding("nbit", 8, low=0, high=255)]
priorityType = Annotated[int, Coding("nbit", 5, low=1, high=20)]
protocolNameType = Annotated[str, Coding("string", longest=30)]
protocolNamespaceType = Annotated[str, Coding("string", longest=100)]


class _Handshake(Type):
    namespace = NAMESPACE
    qualified = False
    attributes_qualified = False


class AppProtocolType(_Handshake, kw_only=True):
    ProtocolNamespace: protocolNamespaceType
    VersionNumberMajor: xs_unsignedInt
    VersionNumberMinor: xs_unsignedInt
    SchemaID: idType
    Priority: priorityType


class supportedAppProtocolReq(_Handshake, kw_only=True):
    AppProtocol: Annotated[list[AppProtocolType], Occurs(1, 20)]


class supportedAppProtocolRes(_Handshake, kw_only=True):
    ResponseCode: responseCodeType
    SchemaID: idType | None = None


SCHEMA = Schema(
    "sap",
    {
        NAMESPACE: {
            "supportedAppProtocolReq": supportedAppProtocolReq,
            "supportedAppProtocolRes": supportedAppProtocolRes,
        },
    },
    (
        "supportedAppProtocolReq",
        "supportedAppProtocolRes",
    ),
)
