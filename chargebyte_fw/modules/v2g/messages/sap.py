"""The SupportedAppProtocol handshake (ISO 15118-2 clause 8.2)."""

from enum import StrEnum
from typing import Annotated

from chargebyte_fw.modules.v2g.messages.model import Coding, Document, Occurs, Type, xs_unsignedInt


class responseCodeType(StrEnum):
    """Values of `responseCodeType`, in code order."""

    OK_SuccessfulNegotiation = "OK_SuccessfulNegotiation"
    OK_SuccessfulNegotiationWithMinorDeviation = "OK_SuccessfulNegotiationWithMinorDeviation"
    Failed_NoNegotiation = "Failed_NoNegotiation"


idType = Annotated[int, Coding("nbit", 8, low=0, high=255)]
priorityType = Annotated[int, Coding("nbit", 5, low=1, high=20)]
protocolNameType = Annotated[str, Coding("string", longest=30)]
protocolNamespaceType = Annotated[str, Coding("string", longest=100)]


class AppProtocolType(Type, kw_only=True):
    """Wire type `AppProtocolType`."""

    ProtocolNamespace: protocolNamespaceType
    VersionNumberMajor: xs_unsignedInt
    VersionNumberMinor: xs_unsignedInt
    SchemaID: idType
    Priority: priorityType


class supportedAppProtocolReq(Type, kw_only=True):
    """Wire type `supportedAppProtocolReq`."""

    AppProtocol: Annotated[list[AppProtocolType], Occurs(1, 20)]


class supportedAppProtocolRes(Type, kw_only=True):
    """Wire type `supportedAppProtocolRes`."""

    ResponseCode: responseCodeType
    SchemaID: idType | None = None


DOCUMENT = Document("sap", 2, {0: supportedAppProtocolReq, 1: supportedAppProtocolRes})
