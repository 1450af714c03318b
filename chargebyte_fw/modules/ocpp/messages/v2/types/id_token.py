"""Tokens of a driver, and what the CSMS knows of them (OCPP 2.x part 2, block C)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, In201, Items, OneOf, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.message_content import MessageContentType


class AuthorizationStatusEnumType(StrEnum):
    Accepted = "Accepted"
    Blocked = "Blocked"
    ConcurrentTx = "ConcurrentTx"
    Expired = "Expired"
    Invalid = "Invalid"
    NoCredit = "NoCredit"
    NotAllowedTypeEVSE = "NotAllowedTypeEVSE"
    NotAtThisLocation = "NotAtThisLocation"
    NotAtThisTime = "NotAtThisTime"
    Unknown = "Unknown"


class IdTokenEnumType(Values):
    Central = "Central"
    eMAID = "eMAID"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    KeyCode = "KeyCode"
    Local = "Local"
    MacAddress = "MacAddress"
    NoAuthorization = "NoAuthorization"
    DirectPayment = "DirectPayment", SINCE_21, "Local"
    EVCCID = "EVCCID", SINCE_21, "MacAddress"
    VIN = "VIN", SINCE_21, "Local"


class AdditionalInfoType(V2Type, kw_only=True):
    additional_id_token: Annotated[str, Text(255, folded=True), In201(Text(36, folded=True))] = field(
        name="additionalIdToken"
    )
    type: Annotated[str, Text(50)]


class IdTokenType(V2Type, kw_only=True):
    id_token: Annotated[str, Text(255, folded=True), In201(Text(36, folded=True))] = field(name="idToken")
    type: Annotated[str, Text(20), In201(OneOf(IdTokenEnumType))]
    additional_info: Annotated[list[AdditionalInfoType] | None, Items(1)] = field(name="additionalInfo", default=None)


class IdTokenInfoType(V2Type, kw_only=True):
    status: AuthorizationStatusEnumType
    cache_expiry_date_time: datetime | None = field(name="cacheExpiryDateTime", default=None)
    charging_priority: int | None = field(name="chargingPriority", default=None)
    language1: Annotated[str | None, Text(8)] = None
    evse_id: Annotated[list[Annotated[int, In21(Range(0))]] | None, Items(1)] = field(name="evseId", default=None)
    group_id_token: IdTokenType | None = field(name="groupIdToken", default=None)
    language2: Annotated[str | None, Text(8)] = None
    personal_message: MessageContentType | None = field(name="personalMessage", default=None)
