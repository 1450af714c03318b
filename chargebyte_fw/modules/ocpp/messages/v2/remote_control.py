"""Remote control (OCPP 2.x part 2, block F)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.charging_profile import ChargingProfileType
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType, StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenType


class MessageTriggerEnumType(Values):
    BootNotification = "BootNotification"
    LogStatusNotification = "LogStatusNotification"
    FirmwareStatusNotification = "FirmwareStatusNotification"
    Heartbeat = "Heartbeat"
    MeterValues = "MeterValues"
    SignChargingStationCertificate = "SignChargingStationCertificate"
    SignV2GCertificate = "SignV2GCertificate"
    StatusNotification = "StatusNotification"
    TransactionEvent = "TransactionEvent"
    SignCombinedCertificate = "SignCombinedCertificate"
    PublishFirmwareStatusNotification = "PublishFirmwareStatusNotification"
    SignV2G20Certificate = "SignV2G20Certificate", SINCE_21
    CustomTrigger = "CustomTrigger", SINCE_21


class RequestStartStopStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class TriggerMessageStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotImplemented = "NotImplemented"


class UnlockStatusEnumType(StrEnum):
    Unlocked = "Unlocked"
    UnlockFailed = "UnlockFailed"
    OngoingAuthorizedTransaction = "OngoingAuthorizedTransaction"
    UnknownConnector = "UnknownConnector"


class RequestStartTransactionRequest(V2Request, kw_only=True):
    id_token: IdTokenType = field(name="idToken")
    remote_start_id: int = field(name="remoteStartId")
    evse_id: Annotated[int | None, In21(Range(1))] = field(name="evseId", default=None)
    group_id_token: IdTokenType | None = field(name="groupIdToken", default=None)
    charging_profile: ChargingProfileType | None = field(name="chargingProfile", default=None)


class RequestStartTransactionResponse(V2Response, kw_only=True):
    status: RequestStartStopStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    transaction_id: Annotated[str | None, Text(36, folded=True)] = field(name="transactionId", default=None)


class RequestStopTransactionRequest(V2Request, kw_only=True):
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")


class RequestStopTransactionResponse(V2Response, kw_only=True):
    status: RequestStartStopStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class UnlockConnectorRequest(V2Request, kw_only=True):
    evse_id: Annotated[int, In21(Range(0))] = field(name="evseId")
    connector_id: Annotated[int, In21(Range(0))] = field(name="connectorId")


class UnlockConnectorResponse(V2Response, kw_only=True):
    status: UnlockStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class TriggerMessageRequest(V2Request, kw_only=True):
    requested_message: MessageTriggerEnumType = field(name="requestedMessage")
    evse: EVSEType | None = None
    custom_trigger: Annotated[str | None, Text(50), SINCE_21] = field(name="customTrigger", default=None)


class TriggerMessageResponse(V2Response, kw_only=True):
    status: TriggerMessageStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
