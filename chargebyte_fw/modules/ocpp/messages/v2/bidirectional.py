"""Bidirectional power transfer (OCPP 2.1 part 2, block Q)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import EnergyTransferModeEnumType


class NotifyAllowedEnergyTransferStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"


class NotifyAllowedEnergyTransferRequest(V2Request, kw_only=True):
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")
    allowed_energy_transfer: Annotated[list[EnergyTransferModeEnumType], Items(1)] = field(name="allowedEnergyTransfer")


class NotifyAllowedEnergyTransferResponse(V2Response, kw_only=True):
    status: NotifyAllowedEnergyTransferStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class AFRRSignalRequest(V2Request, kw_only=True):
    timestamp: datetime
    signal: int


class AFRRSignalResponse(V2Response, kw_only=True):
    status: GenericStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
