"""Profile RemoteTrigger of OCPP 1.6."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from enum import StrEnum

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Request, Response


class MessageTrigger(StrEnum):
    BootNotification = "BootNotification"
    DiagnosticsStatusNotification = "DiagnosticsStatusNotification"
    FirmwareStatusNotification = "FirmwareStatusNotification"
    Heartbeat = "Heartbeat"
    MeterValues = "MeterValues"
    StatusNotification = "StatusNotification"


class TriggerMessageRequest(Request, kw_only=True):
    requested_message: MessageTrigger = field(name="requestedMessage")
    connector_id: int | None = field(name="connectorId", default=None)


class TriggerMessageStatus(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NotImplemented = "NotImplemented"


class TriggerMessageResponse(Response, kw_only=True):
    status: TriggerMessageStatus
