"""Transactions (OCPP 2.x part 2, block E)."""

# ruff: noqa: D101 (the names are the standard's, and so are their meanings)

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import field

from chargebyte_fw.modules.ocpp.messages.model import SINCE_21, In21, Items, Range, Text, Values
from chargebyte_fw.modules.ocpp.messages.v2.base import V2Request, V2Response, V2Type
from chargebyte_fw.modules.ocpp.messages.v2.types.common import EVSEType
from chargebyte_fw.modules.ocpp.messages.v2.types.energy_transfer import OperationModeEnumType
from chargebyte_fw.modules.ocpp.messages.v2.types.id_token import IdTokenInfoType, IdTokenType
from chargebyte_fw.modules.ocpp.messages.v2.types.message_content import MessageContentType
from chargebyte_fw.modules.ocpp.messages.v2.types.meter_value import MeterValueType
from chargebyte_fw.modules.ocpp.messages.v2.types.tariff import PriceType


class ChargingStateEnumType(StrEnum):
    Charging = "Charging"
    EVConnected = "EVConnected"
    SuspendedEV = "SuspendedEV"
    SuspendedEVSE = "SuspendedEVSE"
    Idle = "Idle"


class CostDimensionEnumType(StrEnum):
    Energy = "Energy"
    MaxCurrent = "MaxCurrent"
    MinCurrent = "MinCurrent"
    MaxPower = "MaxPower"
    MinPower = "MinPower"
    IdleTime = "IdleTIme"  # the spelling of the schema
    ChargingTime = "ChargingTime"


class PreconditioningStatusEnumType(StrEnum):
    Unknown = "Unknown"
    Ready = "Ready"
    NotReady = "NotReady"
    Preconditioning = "Preconditioning"


class ReasonEnumType(Values):
    DeAuthorized = "DeAuthorized"
    EmergencyStop = "EmergencyStop"
    EnergyLimitReached = "EnergyLimitReached"
    EVDisconnected = "EVDisconnected"
    GroundFault = "GroundFault"
    ImmediateReset = "ImmediateReset"
    Local = "Local"
    LocalOutOfCredit = "LocalOutOfCredit"
    MasterPass = "MasterPass"
    Other = "Other"
    OvercurrentFault = "OvercurrentFault"
    PowerLoss = "PowerLoss"
    PowerQuality = "PowerQuality"
    Reboot = "Reboot"
    Remote = "Remote"
    SOCLimitReached = "SOCLimitReached"
    StoppedByEV = "StoppedByEV"
    TimeLimitReached = "TimeLimitReached"
    Timeout = "Timeout"
    ReqEnergyTransferRejected = "ReqEnergyTransferRejected", SINCE_21, "Other"


class TariffCostEnumType(StrEnum):
    NormalCost = "NormalCost"
    MinCost = "MinCost"
    MaxCost = "MaxCost"


class TransactionEventEnumType(StrEnum):
    Ended = "Ended"
    Started = "Started"
    Updated = "Updated"


class TriggerReasonEnumType(Values):
    Authorized = "Authorized"
    CablePluggedIn = "CablePluggedIn"
    ChargingRateChanged = "ChargingRateChanged"
    ChargingStateChanged = "ChargingStateChanged"
    Deauthorized = "Deauthorized"
    EnergyLimitReached = "EnergyLimitReached"
    EVCommunicationLost = "EVCommunicationLost"
    EVConnectTimeout = "EVConnectTimeout"
    MeterValueClock = "MeterValueClock"
    MeterValuePeriodic = "MeterValuePeriodic"
    TimeLimitReached = "TimeLimitReached"
    Trigger = "Trigger"
    UnlockCommand = "UnlockCommand"
    StopAuthorized = "StopAuthorized"
    EVDeparted = "EVDeparted"
    EVDetected = "EVDetected"
    RemoteStop = "RemoteStop"
    RemoteStart = "RemoteStart"
    AbnormalCondition = "AbnormalCondition"
    SignedDataReceived = "SignedDataReceived"
    ResetCommand = "ResetCommand"
    CostLimitReached = "CostLimitReached", SINCE_21, "EnergyLimitReached"
    LimitSet = "LimitSet", SINCE_21, "Trigger"
    OperationModeChanged = "OperationModeChanged", SINCE_21, "ChargingStateChanged"
    RunningCost = "RunningCost", SINCE_21, "MeterValuePeriodic"
    SoCLimitReached = "SoCLimitReached", SINCE_21, "EnergyLimitReached"
    TariffChanged = "TariffChanged", SINCE_21, "Trigger"
    TariffNotAccepted = "TariffNotAccepted", SINCE_21, "Deauthorized"
    TxResumed = "TxResumed", SINCE_21, "ChargingStateChanged"


class CostDimensionType(V2Type, kw_only=True):
    type: CostDimensionEnumType
    volume: float


class ChargingPeriodType(V2Type, kw_only=True):
    start_period: datetime = field(name="startPeriod")
    dimensions: Annotated[list[CostDimensionType] | None, Items(1)] = None
    tariff_id: Annotated[str | None, Text(60, folded=True)] = field(name="tariffId", default=None)


class TotalPriceType(V2Type, kw_only=True):
    excl_tax: float | None = field(name="exclTax", default=None)
    incl_tax: float | None = field(name="inclTax", default=None)


class TotalCostType(V2Type, kw_only=True):
    currency: Annotated[str, Text(3)]
    type_of_cost: TariffCostEnumType = field(name="typeOfCost")
    total: TotalPriceType
    fixed: PriceType | None = None
    energy: PriceType | None = None
    charging_time: PriceType | None = field(name="chargingTime", default=None)
    idle_time: PriceType | None = field(name="idleTime", default=None)
    reservation_time: PriceType | None = field(name="reservationTime", default=None)
    reservation_fixed: PriceType | None = field(name="reservationFixed", default=None)


class TotalUsageType(V2Type, kw_only=True):
    energy: float
    charging_time_s: int = field(name="chargingTime")
    idle_time_s: int = field(name="idleTime")
    reservation_time_s: int | None = field(name="reservationTime", default=None)


class CostDetailsType(V2Type, kw_only=True):
    total_cost: TotalCostType = field(name="totalCost")
    total_usage: TotalUsageType = field(name="totalUsage")
    charging_periods: Annotated[list[ChargingPeriodType] | None, Items(1)] = field(name="chargingPeriods", default=None)
    failure_to_calculate: bool | None = field(name="failureToCalculate", default=None)
    failure_reason: Annotated[str | None, Text(500)] = field(name="failureReason", default=None)


class TransactionLimitType(V2Type, kw_only=True):
    max_cost: float | None = field(name="maxCost", default=None)
    max_energy_Wh: float | None = field(name="maxEnergy", default=None)
    max_time_s: int | None = field(name="maxTime", default=None)
    max_soc_percent: Annotated[int | None, Range(0, 100)] = field(name="maxSoC", default=None)


class TransactionType(V2Type, kw_only=True):
    transaction_id: Annotated[str, Text(36, folded=True)] = field(name="transactionId")
    charging_state: ChargingStateEnumType | None = field(name="chargingState", default=None)
    time_spent_charging_s: int | None = field(name="timeSpentCharging", default=None)
    stopped_reason: ReasonEnumType | None = field(name="stoppedReason", default=None)
    remote_start_id: int | None = field(name="remoteStartId", default=None)
    operation_mode: Annotated[OperationModeEnumType | None, SINCE_21] = field(name="operationMode", default=None)
    tariff_id: Annotated[str | None, Text(60, folded=True), SINCE_21] = field(name="tariffId", default=None)
    transaction_limit: Annotated[TransactionLimitType | None, SINCE_21] = field(name="transactionLimit", default=None)


class TransactionEventRequest(V2Request, kw_only=True):
    event_type: TransactionEventEnumType = field(name="eventType")
    timestamp: datetime
    trigger_reason: TriggerReasonEnumType = field(name="triggerReason")
    seq_no: Annotated[int, In21(Range(0))] = field(name="seqNo")
    transaction_info: TransactionType = field(name="transactionInfo")
    meter_value: Annotated[list[MeterValueType] | None, Items(1)] = field(name="meterValue", default=None)
    offline: bool | None = None
    """False is sent as well: not every CSMS knows that it is the default."""
    number_of_phases_used: Annotated[int | None, In21(Range(0, 3))] = field(name="numberOfPhasesUsed", default=None)
    cable_max_current_A: int | None = field(name="cableMaxCurrent", default=None)
    reservation_id: Annotated[int | None, In21(Range(0))] = field(name="reservationId", default=None)
    evse: EVSEType | None = None
    id_token: IdTokenType | None = field(name="idToken", default=None)
    cost_details: Annotated[CostDetailsType | None, SINCE_21] = field(name="costDetails", default=None)
    preconditioning_status: Annotated[PreconditioningStatusEnumType | None, SINCE_21] = field(
        name="preconditioningStatus", default=None
    )
    evse_sleep: Annotated[bool | None, SINCE_21] = field(name="evseSleep", default=None)


class TransactionEventResponse(V2Response, kw_only=True):
    total_cost: float | None = field(name="totalCost", default=None)
    charging_priority: int | None = field(name="chargingPriority", default=None)
    id_token_info: IdTokenInfoType | None = field(name="idTokenInfo", default=None)
    updated_personal_message: MessageContentType | None = field(name="updatedPersonalMessage", default=None)
    transaction_limit: Annotated[TransactionLimitType | None, SINCE_21] = field(name="transactionLimit", default=None)
    updated_personal_message_extra: Annotated[list[MessageContentType] | None, Items(1, 4), SINCE_21] = field(
        name="updatedPersonalMessageExtra", default=None
    )


class GetTransactionStatusRequest(V2Request, kw_only=True):
    transaction_id: Annotated[str | None, Text(36, folded=True)] = field(name="transactionId", default=None)


class GetTransactionStatusResponse(V2Response, kw_only=True):
    messages_in_queue: bool = field(name="messagesInQueue")
    ongoing_indicator: bool | None = field(name="ongoingIndicator", default=None)
