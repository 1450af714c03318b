"""Energy tree: requests flow to root as nested EnergyFlowRequest, limits flow back as EnforcedLimits. First
schedule entry is active immediately even when its timestamp lies in the future; entries are absolute UTC,
irregular spacing allowed. EVerest type file `energy`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from chargebyte_fw.contracts.open_type import OpenType
from chargebyte_fw.contracts.types import energy_price_information, powermeter


class NodeType(StrEnum):
    """EVerest enumeration `NodeType`."""

    Undefined = "Undefined"
    Evse = "Evse"
    Generic = "Generic"


class EvseState(StrEnum):
    """EVerest enumeration `EvseState`."""

    Unplugged = "Unplugged"
    WaitForAuth = "WaitForAuth"
    WaitForEnergy = "WaitForEnergy"
    PrepareCharging = "PrepareCharging"
    PausedEV = "PausedEV"
    PausedEVSE = "PausedEVSE"
    Charging = "Charging"
    Finished = "Finished"
    Disabled = "Disabled"


class NumberWithSource(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `energy.NumberWithSource`."""

    value: float
    source: str


class IntegerWithSource(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `energy.IntegerWithSource`."""

    value: int
    source: str


class LimitsReq(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy.LimitsReq`."""

    total_power_W: NumberWithSource | None = None
    """W, positive."""
    ac_max_current_A: NumberWithSource | None = None
    """A per phase, positive."""
    ac_min_current_A: NumberWithSource | None = None
    """A per phase; below this the device cannot charge."""
    ac_max_phase_count: IntegerWithSource | None = None
    """1..3, absent = unlimited."""
    ac_min_phase_count: IntegerWithSource | None = None
    """1..3."""
    ac_supports_changing_phases_during_charging: bool | None = None
    ac_number_of_active_phases: Annotated[int, Meta(ge=1, le=3)] | None = None
    """Phases offered right now."""


class LimitsRes(msgspec.Struct, kw_only=True, omit_defaults=True):
    """Sign carries direction: negative = export to grid."""

    total_power_W: NumberWithSource | None = None
    """W."""
    ac_max_current_A: NumberWithSource | None = None
    """A per phase."""
    ac_max_phase_count: IntegerWithSource | None = None
    """Absent = unlimited."""


class OptimizerTarget(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy.OptimizerTarget`."""

    energy_amount_needed: float | None = None
    """KWh."""
    charge_to_max_percent: float | None = None
    """%."""
    car_battery_soc: Annotated[float, Meta(ge=0, le=100)] | None = None
    """%."""
    leave_time: str | None = None
    """RFC 3339 UTC."""
    price_limit: float | None = None
    """Charge whenever price is under this."""
    full_autonomy: bool | None = None
    """Only local generation."""


class FrequencyWattPoint(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `energy.FrequencyWattPoint`."""

    frequency_Hz: float
    total_power_W: float


class SetpointType(OpenType, kw_only=True, omit_defaults=True):
    """Use exactly one of ac_current_A, total_power_W, frequency_table; positive = charge, negative = discharge."""

    priority: Annotated[int, Meta(ge=0, le=1000)]
    """0 highest; not evaluated today."""
    source: str
    ac_current_A: float | None = None
    total_power_W: float | None = None
    frequency_table: list[FrequencyWattPoint] | None = None
    """Needs at least 2 points when used."""


class ScheduleSetpointEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy.ScheduleSetpointEntry`."""

    timestamp: str
    setpoint: SetpointType | None = None


class ScheduleReqEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy.ScheduleReqEntry`."""

    timestamp: str
    limits_to_root: LimitsReq
    """Root-facing side."""
    limits_to_leaves: LimitsReq
    """Leaf-facing side."""
    conversion_efficiency: Annotated[float, Meta(ge=0, le=1)] | None = None
    """Root→leaves, absent = 1."""
    price_per_kwh: energy_price_information.PricePerkWh | None = None


class ScheduleResEntry(msgspec.Struct, kw_only=True, omit_defaults=True):
    """EVerest type `energy.ScheduleResEntry`."""

    timestamp: str
    limits_to_root: LimitsRes
    price_per_kwh: energy_price_information.PricePerkWh | None = None


class EnergyFlowRequest(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `energy.EnergyFlowRequest`."""

    children: list[EnergyFlowRequest]
    """Recursive."""
    uuid: str
    """Node id echoed in EnforcedLimits."""
    node_type: NodeType
    schedule_import: list[ScheduleReqEntry]
    schedule_export: list[ScheduleReqEntry]
    schedule_setpoints: list[ScheduleSetpointEntry]
    priority_request: bool | None = None
    """True = handle at once."""
    evse_state: EvseState | None = None
    optimizer_target: OptimizerTarget | None = None
    energy_usage_root: powermeter.Powermeter | None = None
    """Meter at root side."""
    energy_usage_leaves: powermeter.Powermeter | None = None
    """Meter at leaf side."""


class EnforcedLimits(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `energy.EnforcedLimits`."""

    uuid: str
    """Addressed node."""
    valid_for: int
    """Seconds; consumer must stop when no refresh arrives in time."""
    limits_root_side: LimitsRes
    """The binding limit."""
    schedule: list[ScheduleResEntry]
    """Informative only; positive import / negative export."""


class CapabilityLimits(OpenType, kw_only=True, omit_defaults=True):
    """EVerest type `energy.CapabilityLimits`."""

    max_current_A: Annotated[float, Meta(ge=0)]
    """A per phase."""
    max_phase_count: Annotated[int, Meta(ge=0, le=3)]
    nominal_voltage_V: Annotated[float, Meta(ge=1)]
    """V phase–neutral."""
    total_power_W: float
    """Usually voltage × current × phases."""


class ExternalLimits(OpenType, kw_only=True, omit_defaults=True):
    """Last schedule entry stays valid forever."""

    schedule_import: list[ScheduleReqEntry]
    schedule_export: list[ScheduleReqEntry]
    schedule_setpoints: list[ScheduleSetpointEntry]
