"""Smart charging's configuration, read from the device model: the rules, local time, the supply of an EVSE."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode, Purpose, RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.rules import V16, V201, LocalTime, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.seconds import seconds_of
from chargebyte_fw.modules.ocpp.variables import Variable, Variables
from chargebyte_fw.modules.ocpp.variables.standard import internal, iso15118, legacy
from chargebyte_fw.modules.ocpp.variables.standard import smart_charging as declared
from chargebyte_fw.modules.ocpp.variables.standard import station as of_station

PURPOSE_16 = "ChargePointMaxProfile"
"""OCPP 1.6's name of ChargingStationMaxProfile."""
UNIT_16 = {"Current": RateUnit.A, "Power": RateUnit.W}
"""Names of units in keys of OCPP 1.6."""
UNKNOWN_SUPPLY_PHASES = 3
PERSISTENCE = (
    (declared.PROFILE_PERSISTENCE_TX, Purpose.TX),
    (declared.PROFILE_PERSISTENCE_EXTERNAL, Purpose.EXTERNAL),
    (declared.PROFILE_PERSISTENCE_LOCAL_GENERATION, Purpose.LOCAL_GENERATION),
)


def rules_of(variables: Variables, version: str, evse_ids: Iterable[int] = ()) -> SmartChargingRules:
    """Return the rules as the variables are now."""
    get = variables.get
    legacy_version = version == V16
    in_use = not legacy_version or "SmartCharging" in get(legacy.SUPPORTED_FEATURE_PROFILES)
    units = {UNIT_16.get(name) or _member(RateUnit, name) for name in get(declared.RATE_UNIT)}
    capacity = variables.maximum(declared.CHARGING_PROFILE_ENTRIES)
    return SmartChargingRules(
        version=version,
        available=get(declared.SMART_AVAILABLE) and get(declared.SMART_ENABLED) and in_use,
        units=frozenset(unit for unit in units if unit is not None) or frozenset(RateUnit),
        max_stack_level=get(declared.PROFILE_STACK_LEVEL),
        max_periods=get(declared.PERIODS_PER_SCHEDULE),
        max_profiles=int(capacity) if capacity is not None else SmartChargingRules().max_profiles,
        purposes=_purposes(get(internal.SUPPORTED_CHARGING_PROFILE_PURPOSE_TYPES)),
        additional_purposes=_purposes(get(declared.SUPPORTED_ADDITIONAL_PURPOSES)),
        ignored_offline=_purposes(get(declared.IGNORED_PROFILE_PURPOSES_OFFLINE)),
        persisted=frozenset(Purpose) - {purpose for flag, purpose in PERSISTENCE if not get(flag)},
        max_composite_s=get(internal.MAX_COMPOSITE_SCHEDULE_DURATION),
        default_limit_A=get(declared.DEFAULT_LIMIT_A),
        default_limit_W=get(declared.DEFAULT_LIMIT_W),
        default_phases=get(declared.DEFAULT_NUMBER_PHASES) or UNKNOWN_SUPPLY_PHASES,
        voltage_V=get(declared.SUPPLY_VOLTAGE) or SmartChargingRules().voltage_V,
        allow_no_start=legacy_version and get(legacy.ALLOW_PROFILE_WITHOUT_START_SCHEDULE),
        phase_switching=get(declared.AC_PHASE_SWITCHING_SUPPORTED),
        update_rate_limit_s=get(declared.UPDATE_RATE_LIMIT),
        max_external_id=variables.find(declared.MAX_EXTERNAL_CONSTRAINTS_ID),
        dynamic=get(declared.SUPPORTS_DYNAMIC_PROFILES),
        local_time=get(declared.SUPPORTS_USE_LOCAL_TIME),
        randomized_delay=get(declared.SUPPORTS_RANDOMIZED_DELAY),
        limit_at_soc=get(declared.SUPPORTS_LIMIT_AT_SOC),
        evse_sleep=get(declared.SUPPORTS_EVSE_SLEEP),
        modes=None if legacy_version or version == V201 else _modes(variables, evse_ids),
        seed=get(internal.CHARGE_BOX_SERIAL_NUMBER),
    )


def _member(kind: type[RateUnit], name: str) -> RateUnit | None:
    return next((member for member in kind if member.value == name), None)


def _purposes(names: tuple[str, ...]) -> frozenset[Purpose]:
    known = {purpose.value: purpose for purpose in Purpose} | {PURPOSE_16: Purpose.STATION_MAX}
    return frozenset(known[name] for name in names if name in known)


def _modes(variables: Variables, evse_ids: Iterable[int]) -> frozenset[Mode] | None:
    """Return the operation modes that some EVSE supports; None where none has V2X."""
    found: set[Mode] = set()
    available = False
    for evse_id in evse_ids:
        if variables.get(iso15118.V2X_AVAILABLE.at(evse_id)) and variables.get(iso15118.V2X_ENABLED.at(evse_id)):
            available = True
            names = variables.get(iso15118.SUPPORTED_OPERATION_MODES.at(evse_id))
            found |= {mode for mode in Mode if mode.value in names}
    return frozenset(found) if available else None


def is_configured(variables: Variables, variable: Variable[float]) -> bool:
    """Return whether the value is another than the shipped one."""
    return variables.get(variable) != variable.initial


def phases_of(variables: Variables, evse_id: int) -> int:
    """Return the phases of an EVSE's supply, 0 for DC; three while the hardware has not reported them."""
    entry = variables.entry(of_station.EVSE_SUPPLY_PHASES.at(evse_id).id)
    attribute = entry.attributes.get("Actual") if entry is not None else None
    if attribute is None or (not attribute.source and attribute.value == "0"):
        return UNKNOWN_SUPPLY_PHASES
    return variables.get(of_station.EVSE_SUPPLY_PHASES.at(evse_id))


def local_time_of(variables: Variables) -> LocalTime:
    """Return the local time of `ClockCtrlr`; UTC where it is not configured."""
    offset_s = _offset_s(variables.get(of_station.TIME_OFFSET))
    text, after = (
        variables.get(of_station.NEXT_TIME_OFFSET_TRANSITION),
        variables.get(of_station.TIME_OFFSET_NEXT),
    )
    if not text or not after:
        return LocalTime(offset_s)
    try:
        transition_s = seconds_of(datetime.fromisoformat(text))
    except ValueError:
        return LocalTime(offset_s)
    return LocalTime(offset_s, transition_s, _offset_s(after))


def _offset_s(text: str) -> int:
    """Return the seconds of `+hh:mm`; 0 for what is no offset."""
    sign = -1 if text.startswith("-") else 1
    hours, _, minutes = text.lstrip("+-").partition(":")
    if not hours.isdecimal() or not (minutes or "0").isdecimal():
        return 0
    return sign * (int(hours) * 3600 + int(minutes or 0) * 60)
