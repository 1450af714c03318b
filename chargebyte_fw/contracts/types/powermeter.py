"""EVerest type file `powermeter`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.types import temperature, units, units_signed


class TransactionRequestStatus(StrEnum):
    """EVerest enumeration `TransactionRequestStatus`."""

    OK = "OK"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    UNEXPECTED_ERROR = "UNEXPECTED_ERROR"


class OCMFIdentificationLevel(StrEnum):
    """EVerest enumeration `OCMFIdentificationLevel`."""

    NONE = "NONE"
    HEARSAY = "HEARSAY"
    TRUSTED = "TRUSTED"
    VERIFIED = "VERIFIED"
    CERTIFIED = "CERTIFIED"
    SECURE = "SECURE"
    MISMATCH = "MISMATCH"
    INVALID = "INVALID"
    OUTDATED = "OUTDATED"
    UNKNOWN = "UNKNOWN"


class OCMFIdentificationFlags(StrEnum):
    """EVerest enumeration `OCMFIdentificationFlags`."""

    RFID_NONE = "RFID_NONE"
    RFID_PLAIN = "RFID_PLAIN"
    RFID_RELATED = "RFID_RELATED"
    RFID_PSK = "RFID_PSK"
    OCPP_NONE = "OCPP_NONE"
    OCPP_RS = "OCPP_RS"
    OCPP_AUTH = "OCPP_AUTH"
    OCPP_RS_TLS = "OCPP_RS_TLS"
    OCPP_AUTH_TLS = "OCPP_AUTH_TLS"
    OCPP_CACHE = "OCPP_CACHE"
    OCPP_WHITELIST = "OCPP_WHITELIST"
    OCPP_CERTIFIED = "OCPP_CERTIFIED"
    ISO15118_NONE = "ISO15118_NONE"
    ISO15118_PNC = "ISO15118_PNC"
    PLMN_NONE = "PLMN_NONE"
    PLMN_RING = "PLMN_RING"
    PLMN_SMS = "PLMN_SMS"


class OCMFIdentificationType(StrEnum):
    """EVerest enumeration `OCMFIdentificationType`."""

    NONE = "NONE"
    DENIED = "DENIED"
    UNDEFINED = "UNDEFINED"
    ISO14443 = "ISO14443"
    ISO15693 = "ISO15693"
    EMAID = "EMAID"
    EVCCID = "EVCCID"
    EVCOID = "EVCOID"
    ISO7812 = "ISO7812"
    CARD_TXN_NR = "CARD_TXN_NR"
    CENTRAL = "CENTRAL"
    CENTRAL_1 = "CENTRAL_1"
    CENTRAL_2 = "CENTRAL_2"
    LOCAL = "LOCAL"
    LOCAL_1 = "LOCAL_1"
    LOCAL_2 = "LOCAL_2"
    PHONE_NUMBER = "PHONE_NUMBER"
    KEY_CODE = "KEY_CODE"


class OCMFUserIdentificationStatus(StrEnum):
    """EVerest enumeration `OCMFUserIdentificationStatus`."""

    ASSIGNED = "ASSIGNED"
    NOT_ASSIGNED = "NOT_ASSIGNED"


class TransactionReq(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Input for OCMF signed metering."""

    evse_id: str
    transaction_id: str
    """OCPP transaction uuid."""
    identification_status: OCMFUserIdentificationStatus
    """OCMF IS."""
    identification_flags: Annotated[list[OCMFIdentificationFlags], Meta(min_length=0, max_length=4)]
    """OCMF IF."""
    identification_type: OCMFIdentificationType
    """OCMF IT."""
    identification_level: OCMFIdentificationLevel | None = None
    """OCMF IL."""
    identification_data: str | None = None
    """OCMF ID."""
    tariff_text: Annotated[str, Meta(max_length=250)] | None = None
    """OCMF TT."""


class TransactionStartResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `powermeter.TransactionStartResponse`."""

    status: TransactionRequestStatus
    error: str | None = None
    """Text when status ≠ OK."""
    transaction_min_stop_time: str | None = None
    """Earliest stop."""
    transaction_max_stop_time: str | None = None
    """Latest stop."""
    signed_meter_value: units_signed.SignedMeterValue | None = None


class TransactionStopResponse(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `powermeter.TransactionStopResponse`."""

    status: TransactionRequestStatus
    start_signed_meter_value: units_signed.SignedMeterValue | None = None
    """If meter signs start and stop separately."""
    signed_meter_value: units_signed.SignedMeterValue | None = None
    """Required in practice when OK."""
    error: str | None = None
    """Text when status ≠ OK."""


class Powermeter(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `powermeter.Powermeter`."""

    timestamp: str
    energy_Wh_import: units.Energy
    """Grid→car counter."""
    meter_id: str | None = None
    phase_seq_error: bool | None = None
    """Wrong rotation."""
    energy_Wh_export: units.Energy | None = None
    """Car→grid counter."""
    power_W: units.Power | None = None
    """Negative = export."""
    voltage_V: units.Voltage | None = None
    VAR: units.ReactivePower | None = None
    """Reactive power."""
    current_A: units.Current | None = None
    frequency_Hz: units.Frequency | None = None
    energy_Wh_import_signed: units_signed.Energy | None = None
    energy_Wh_export_signed: units_signed.Energy | None = None
    power_W_signed: units_signed.Power | None = None
    voltage_V_signed: units_signed.Voltage | None = None
    VAR_signed: units_signed.ReactivePower | None = None
    current_A_signed: units_signed.Current | None = None
    frequency_Hz_signed: units_signed.Frequency | None = None
    signed_meter_value: units_signed.SignedMeterValue | None = None
    temperatures: list[temperature.Temperature] | None = None
