"""Charging profiles without a version: what all versions of OCPP share, in whole seconds since 1970 (UTC)."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple

import msgspec

DAY_S = 86400
WEEK_S = 7 * DAY_S
STATION = 0
"""The EVSE id (connector id of OCPP 1.6) of the whole station."""


class Purpose(StrEnum):
    """What a profile limits. OCPP 1.6 names the maximum of the station ChargePointMaxProfile."""

    EXTERNAL = "ChargingStationExternalConstraints"
    STATION_MAX = "ChargingStationMaxProfile"
    TX_DEFAULT = "TxDefaultProfile"
    TX = "TxProfile"
    PRIORITY = "PriorityCharging"
    LOCAL_GENERATION = "LocalGeneration"


class Kind(StrEnum):
    """To what the schedules of a profile are relative."""

    ABSOLUTE = "Absolute"
    RECURRING = "Recurring"
    RELATIVE = "Relative"
    DYNAMIC = "Dynamic"


class Recurrency(IntEnum):
    """The period of a recurring schedule, in s."""

    DAILY = DAY_S
    WEEKLY = WEEK_S


class RateUnit(StrEnum):
    """Unit of limits and setpoints: A is per phase, W the sum of all phases."""

    A = "A"
    W = "W"


class Mode(StrEnum):
    """OperationModeEnumType (OCPP 2.1)."""

    IDLE = "Idle"
    CHARGING_ONLY = "ChargingOnly"
    CENTRAL_SETPOINT = "CentralSetpoint"
    EXTERNAL_SETPOINT = "ExternalSetpoint"
    EXTERNAL_LIMITS = "ExternalLimits"
    CENTRAL_FREQUENCY = "CentralFrequency"
    LOCAL_FREQUENCY = "LocalFrequency"
    LOCAL_LOAD_BALANCING = "LocalLoadBalancing"


class Phases(NamedTuple):
    """A value in the unit of its schedule: of every phase, or of L1 where L2 and L3 have their own."""

    value: float | None = None
    L2: float | None = None
    L3: float | None = None

    @property
    def split(self) -> bool:
        """Whether the phases have values of their own."""
        return self.L2 is not None or self.L3 is not None

    @property
    def given(self) -> list[float]:
        """The values that are present."""
        return [value for value in self if value is not None]


NOTHING = Phases()


class Extras(msgspec.Struct, frozen=True, kw_only=True):
    """What few periods have: the fields of OCPP 2.1 and `phaseToUse`."""

    limit_L2: float | None = None
    limit_L3: float | None = None
    phase_to_use: int | None = None
    discharge: Phases = NOTHING
    """Greatest power or current of discharge, zero or below."""
    setpoint: Phases = NOTHING
    """Positive to charge, negative to discharge."""
    reactive: Phases = NOTHING
    """Setpoint of reactive power, positive inductive."""
    preconditioning: bool | None = None
    sleep: bool = False
    """The power electronics of the EVSE are to be off."""
    baseline_W: float | None = None
    mode: Mode = Mode.CHARGING_ONLY
    frequency_curve: tuple[tuple[float, float], ...] = ()
    """Points of grid frequency (Hz) and power (W)."""
    signal_curve: tuple[tuple[int, float], ...] = ()
    """Points of AFRR signal and power (W)."""


PLAIN = Extras()


class Period(msgspec.Struct, frozen=True, gc=False):
    """A stretch of a schedule with one limit; it ends where the next one starts."""

    start_s: int
    """Since the start of the schedule."""
    limit: float | None
    phases: int | None = None
    extras: Extras = PLAIN

    @property
    def limits(self) -> Phases:
        """The limits of the phases."""
        return Phases(self.limit, self.extras.limit_L2, self.extras.limit_L3)

    @property
    def mode(self) -> Mode:
        """The operation mode."""
        return self.extras.mode


def same_transaction(one: str | None, other: str | None) -> bool:
    """Return whether two ids of transactions are equal; the case of letters means nothing (identifierString)."""
    return one == other or (one is not None and other is not None and one.casefold() == other.casefold())


class LimitAtSoC(NamedTuple):
    """A limit that holds once the state of charge has reached a value (OCPP 2.1)."""

    soc_percent: int
    limit: float


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """One schedule of a profile."""

    id: int = 0
    unit: RateUnit
    periods: tuple[Period, ...]
    duration_s: int | None = None
    start_s: int | None = None
    """Unqualified local time, counted as if it were UTC, where `local_time` is set."""
    min_rate: float | None = None
    local_time: bool = False
    randomized_delay_s: int = 0
    limit_at_soc: LimitAtSoC | None = None


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A charging profile."""

    id: int
    stack_level: int
    purpose: Purpose
    kind: Kind
    schedules: tuple[Schedule, ...]
    recurrency: Recurrency | None = None
    valid_from_s: int | None = None
    valid_to_s: int | None = None
    transaction_id: str | None = None
    max_offline_s: int | None = None
    """For how long the profile holds without a connection; None without a bound."""
    ends_offline: bool = False
    """It is removed once it was offline for longer than that (`invalidAfterOfflineDuration`)."""
    update_interval_s: int = 0
    """Interval in which a dynamic profile is asked for again; 0: never."""
    updated_s: int | None = None
    """When a dynamic profile was updated last."""

    @property
    def n_periods(self) -> int:
        """The number of periods of all schedules."""
        return sum(len(schedule.periods) for schedule in self.schedules)


class Installed(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that was accepted, and where it holds."""

    profile: Profile
    evse_id: int
    """0: the station; a TxDefaultProfile of 0 holds for every EVSE."""
    installed_s: int
    source: str = "CSO"
    """ChargingLimitSource: who set it."""
    selected: int = 0
    """Index of the schedule that holds: the car chooses among up to three (ISO 15118)."""
    wire: bytes = b""
    """The profile as it came, in JSON."""

    @property
    def schedule(self) -> Schedule:
        """The schedule that holds."""
        return self.profile.schedules[self.selected]
