"""Tariff and cost (OCPP 2.x part 2, block I)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import Items, Range, Text
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import StatusInfoType
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import TariffType


class TariffChangeStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    TooManyElements = "TooManyElements"
    ConditionNotSupported = "ConditionNotSupported"
    TxNotFound = "TxNotFound"
    NoCurrencyChange = "NoCurrencyChange"


class TariffClearStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NoTariff = "NoTariff"


class TariffGetStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    NoTariff = "NoTariff"


class TariffKindEnumType(StrEnum):
    DefaultTariff = "DefaultTariff"
    DriverTariff = "DriverTariff"


class TariffSetStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Rejected = "Rejected"
    TooManyElements = "TooManyElements"
    ConditionNotSupported = "ConditionNotSupported"
    DuplicateTariffId = "DuplicateTariffId"


class ClearTariffsResultType(V2Type, kw_only=True):
    status: TariffClearStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    tariff_id: Annotated[str | None, Text(60, folded=True)] = field(name="tariffId", default=None)


class TariffAssignmentType(V2Type, kw_only=True):
    tariff_id: Annotated[str, Text(60, folded=True)] = field(name="tariffId")
    tariff_kind: TariffKindEnumType = field(name="tariffKind")
    valid_from: datetime | None = field(name="validFrom", default=None)
    evse_ids: Annotated[list[Annotated[int, Range(0)]] | None, Items(1)] = field(name="evseIds", default=None)
    id_tokens: Annotated[list[Annotated[str, Text(255)]] | None, Items(1)] = field(name="idTokens", default=None)


class CostUpdatedRequest(V2Request, kw_only=True):
    total_cost: float = field(name="totalCost")
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")


class CostUpdatedResponse(V2Response, kw_only=True):
    pass


class SetDefaultTariffRequest(V2Request, kw_only=True):
    evse_id: Annotated[int, Range(0)] = field(name="evseId")
    tariff: TariffType


class SetDefaultTariffResponse(V2Response, kw_only=True):
    status: TariffSetStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)


class GetTariffsRequest(V2Request, kw_only=True):
    evse_id: Annotated[int, Range(0)] = field(name="evseId")


class GetTariffsResponse(V2Response, kw_only=True):
    status: TariffGetStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
    tariff_assignments: Annotated[list[TariffAssignmentType] | None, Items(1)] = field(
        name="tariffAssignments", default=None
    )


class ClearTariffsRequest(V2Request, kw_only=True):
    tariff_ids: Annotated[list[Annotated[str, Text(60)]] | None, Items(1)] = field(name="tariffIds", default=None)
    evse_id: Annotated[int | None, Range(0)] = field(name="evseId", default=None)


class ClearTariffsResponse(V2Response, kw_only=True):
    clear_tariffs_result: Annotated[list[ClearTariffsResultType], Items(1)] = field(name="clearTariffsResult")


class ChangeTransactionTariffRequest(V2Request, kw_only=True):
    tariff: TariffType
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")


class ChangeTransactionTariffResponse(V2Response, kw_only=True):
    status: TariffChangeStatusEnumType
    status_info: StatusInfoType | None = field(name="statusInfo", default=None)
