"""Payment at terminals and by a code on the display (OCPP 2.1 part 2, use cases C17 to C25)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import GenericStatusEnumType, StatusInfoType


class PaymentStatusEnumType(StrEnum):
    Settled = "Settled"
    Canceled = "Canceled"
    Rejected = "Rejected"
    Failed = "Failed"


class AddressType(V2Type, kw_only=True):
    name: Annotated[str, Text(50)]
    address1: Annotated[str, Text(100)]
    city: Annotated[str, Text(100)]
    country: Annotated[str, Text(50)]
    address2: Annotated[str | None, Text(100)] = None
    postal_code: Annotated[str | None, Text(20)] = field(name="postalCode", default=None)


class NotifySettlementRequest(V2Request, kw_only=True):
    psp_ref: Annotated[str, Text(255)] = field(name="pspRef")
    status: PaymentStatusEnumType
    settlement_amount: float = field(name="settlementAmount")
    settlement_time: datetime = field(name="settlementTime")
    transaction_id: Annotated[str | None, Text(36, folded=True)] = field(name="transactionId", default=None)
    status_info: Annotated[str | None, Text(500)] = field(name="statusInfo", default=None)
    receipt_id: Annotated[str | None, Text(50)] = field(name="receiptId", default=None)
    receipt_url: Annotated[str | None, Text(2000)] = field(name="receiptUrl", default=None)
    vat_company: AddressType | None = field(name="vatCompany", default=None)
    vat_number: Annotated[str | None, Text(20)] = field(name="vatNumber", default=None)


class NotifySettlementResponse(V2Response, kw_only=True):
    receipt_url: Annotated[str | None, Text(2000)] = field(name="receiptUrl", default=None)
    receipt_id: Annotated[str | None, Text(50)] = field(name="receiptId", default=None)


class NotifyWebPaymentStartedRequest(V2Request, kw_only=True):
    evse_id: Annotated[int, Range(0)] = field(name="evseId")
    timeout_s: int = field(name="timeout")


class NotifyWebPaymentStartedResponse(V2Response, kw_only=True):
    pass


class VatNumberValidationRequest(V2Request, kw_only=True):
    vat_number: Annotated[str, Text(20)] = field(name="vatNumber")
    evse_id: Annotated[int | None, Range(0)] = field(name="evseId", default=None)


class VatNumberValidationResponse(V2Response, kw_only=True):
    vat_number: Annotated[str, Text(20)] = field(name="vatNumber")
    status: GenericStatusEnumType
    company: AddressType | None = None
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    evse_id: Annotated[int | None, Range(0)] = field(name="evseId", default=None)
