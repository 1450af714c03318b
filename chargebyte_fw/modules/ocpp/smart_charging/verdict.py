"""Why a profile is not accepted, and what both generations of OCPP check alike."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import Installed, Period, Profile
from chargebyte_fw.modules.ocpp.smart_charging.rules import SmartChargingRules


class Reason(StrEnum):
    """reasonCode of a rejected profile (OCPP 2.x, appendix 5)."""

    DUPLICATE_PROFILE = "DuplicateProfile"
    INVALID_MODE = "InvalidOperationMode"
    INVALID_PROFILE = "InvalidProfile"
    INVALID_PROFILE_ID = "InvalidProfileId"
    INVALID_SCHEDULE = "InvalidSchedule"
    INVALID_STACK_LEVEL = "InvalidStackLevel"
    INVALID_VALUE = "InvalidValue"
    MISSING_PARAM = "MissingParam"
    NO_FREQUENCY_CURVE = "NoFreqWattCurve"
    NO_PHASE_FOR_DC = "NoPhaseForDC"
    OUT_OF_MEMORY = "OutOfMemory"
    PHASE_CONFLICT = "PhaseConflict"
    RATE_LIMIT = "RateLimitExceeded"
    TX_NOT_FOUND = "TxNotFound"
    UNSUPPORTED_KIND = "UnsupportedKind"
    UNSUPPORTED_PARAM = "UnsupportedParam"
    UNSUPPORTED_PURPOSE = "UnsupportedPurpose"
    UNSUPPORTED_UNIT = "UnsupportedRateUnit"


class Rejected(ValueError):
    """A profile is not accepted."""

    def __init__(self, reason: Reason, info: str) -> None:
        super().__init__(f"{reason}: {info}")
        self.reason = reason
        self.info = info


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """A profile that is to be accepted, with what the rules need to know besides."""

    profile: Profile
    evse_id: int
    now_s: int
    source: str = "CSO"
    in_remote_start: bool = False
    """It came with RequestStartTransaction (RemoteStartTransaction), for the transaction to be (K05)."""


def check_periods(periods: Sequence[Period]) -> None:
    """Raise Rejected for a schedule without periods, or whose periods are not in order."""
    if not periods:
        raise Rejected(Reason.INVALID_SCHEDULE, "a schedule without periods")
    if periods[0].start_s != 0:
        raise Rejected(Reason.INVALID_SCHEDULE, f"the first period starts at {periods[0].start_s}, not 0")
    last_s = -1
    for period in periods:
        if period.start_s <= last_s:
            raise Rejected(Reason.INVALID_SCHEDULE, f"startPeriod {period.start_s} follows {last_s}")
        last_s = period.start_s


def check_numbers(*values: float | None) -> None:
    """Raise Rejected for a number that is not finite."""
    for value in values:
        if value is not None and not math.isfinite(value):
            raise Rejected(Reason.INVALID_SCHEDULE, f"{value} is no finite number")


def check_room(profile: Profile, others: Sequence[Installed], rules: SmartChargingRules) -> None:
    """Raise Rejected where the periods of all profiles would take too much memory."""
    periods = profile.n_periods + sum(other.profile.n_periods for other in others)
    if periods > rules.max_installed_periods:
        raise Rejected(Reason.OUT_OF_MEMORY, f"{periods} periods, at most {rules.max_installed_periods}")
