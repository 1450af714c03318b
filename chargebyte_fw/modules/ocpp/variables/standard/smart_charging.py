"""SmartChargingCtrlr: limits and profiles."""

from __future__ import annotations

from chargebyte_fw.modules.ocpp.variables.declaration import RO, Component

PURPOSES = ("ChargingStationMaxProfile", "TxDefaultProfile", "TxProfile")
PURPOSES_21 = ("PriorityCharging", "LocalGeneration")

SMART = Component("SmartChargingCtrlr")

AC_PHASE_SWITCHING_SUPPORTED = SMART.boolean(
    "ACPhaseSwitchingSupported", mutability=RO, meaning="phaseToUse of a profile selects the phase."
)
SMART_AVAILABLE = SMART.boolean("Available", True, mutability=RO, meaning="Charging profiles are supported.")
SMART_ENABLED = SMART.boolean("Enabled", True, absent=True, meaning="Charging profiles are in use.")
CHARGING_PROFILE_ENTRIES = SMART.integer(
    "Entries",
    0,
    instance="ChargingProfiles",
    mutability=RO,
    maximum=500,
    required=True,
    kept=False,
    meaning="Profiles now; the limit is the capacity.",
)
EXTERNAL_CONTROL_SIGNALS_ENABLED = SMART.boolean(
    "ExternalControlSignalsEnabled", True, absent=True, meaning="Limits of external systems are kept."
)
EXTERNAL_CONSTRAINTS_PROFILE_DISALLOWED = SMART.boolean(
    "ExternalConstraintsProfileDisallowed", since="2.1", meaning="External limits do not become a charging profile."
)
LIMIT_CHANGE_SIGNIFICANCE = SMART.decimal(
    "LimitChangeSignificance",
    1.0,
    unit="Percent",
    minimum=0,
    required=True,
    meaning="Smaller changes are not notified.",
)
NOTIFY_CHARGING_LIMIT_WITH_SCHEDULES = SMART.boolean(
    "NotifyChargingLimitWithSchedules", meaning="NotifyChargingLimit carries the schedule."
)
PERIODS_PER_SCHEDULE = SMART.integer(
    "PeriodsPerSchedule",
    1024,
    mutability=RO,
    minimum=1,
    required=True,
    meaning="Periods of a schedule that are accepted.",
)
PHASES_3_TO_1 = SMART.boolean(
    "Phases3to1", mutability=RO, meaning="One and three phases can be switched while charging."
)
PROFILE_STACK_LEVEL = SMART.integer(
    "ProfileStackLevel", 42, mutability=RO, minimum=0, required=True, meaning="Highest stack level that is accepted."
)
RATE_UNIT = SMART.members(
    "RateUnit",
    ("A", "W"),
    mutability=RO,
    values=("A", "W"),
    required=True,
    meaning="Units of limits that are accepted.",
)
DEFAULT_LIMIT_A = SMART.decimal(
    "CompositeScheduleDefaultLimitAmps", 48.0, unit="A", minimum=0, meaning="Limit where no profile applies."
)
DEFAULT_LIMIT_W = SMART.decimal(
    "CompositeScheduleDefaultLimitWatts", 33120.0, unit="W", minimum=0, meaning="Limit where no profile applies."
)
DEFAULT_NUMBER_PHASES = SMART.integer(
    "CompositeScheduleDefaultNumberPhases", 3, minimum=1, maximum=3, meaning="Phases where no profile has them."
)
SUPPLY_VOLTAGE = SMART.decimal(
    "SupplyVoltage", 230.0, unit="V", minimum=0, meaning="Voltage for the conversion between A and W."
)
IGNORED_PROFILE_PURPOSES_OFFLINE = SMART.members(
    "IgnoredProfilePurposesOffline",
    values=(*PURPOSES, "ChargePointMaxProfile", *PURPOSES_21),
    meaning="Purposes of profiles that do not apply while offline.",
)
PROFILE_PERSISTENCE_TX = SMART.boolean(
    "ChargingProfilePersistence", True, instance="TxProfile", mutability=RO, meaning="TxProfiles survive a restart."
)
PROFILE_PERSISTENCE_EXTERNAL = SMART.boolean(
    "ChargingProfilePersistence",
    True,
    instance="ChargingStationExternalConstraints",
    mutability=RO,
    meaning="External limits survive a restart.",
)
PROFILE_PERSISTENCE_LOCAL_GENERATION = SMART.boolean(
    "ChargingProfilePersistence",
    True,
    instance="LocalGeneration",
    mutability=RO,
    since="2.1",
    meaning="Profiles of local generation survive a restart.",
)
UPDATE_RATE_LIMIT = SMART.integer(
    "UpdateRateLimit",
    mutability=RO,
    unit="s",
    minimum=0,
    since="2.1",
    meaning="Least time between updates of a profile.",
)
MAX_EXTERNAL_CONSTRAINTS_ID = SMART.integer(
    "MaxExternalConstraintsId", minimum=0, since="2.1", meaning="Ids up to this are those of external limits."
)
SUPPORTED_ADDITIONAL_PURPOSES = SMART.members(
    "SupportedAdditionalPurposes",
    PURPOSES_21,
    mutability=RO,
    values=PURPOSES_21,
    since="2.1",
    meaning="Purposes of OCPP 2.1 that are supported.",
)
SUPPORTS_DYNAMIC_PROFILES = SMART.boolean(
    "SupportsFeature", True, instance="DynamicProfiles", mutability=RO, since="2.1", meaning="Profiles of kind Dynamic."
)
SUPPORTS_MAX_OFFLINE_DURATION = SMART.boolean(
    "SupportsFeature", True, instance="MaxOfflineDuration", mutability=RO, since="2.1", meaning="maxOfflineDuration."
)
SUPPORTS_USE_LOCAL_TIME = SMART.boolean(
    "SupportsFeature", True, instance="UseLocalTime", mutability=RO, since="2.1", meaning="useLocalTime of a schedule."
)
SUPPORTS_RANDOMIZED_DELAY = SMART.boolean(
    "SupportsFeature",
    True,
    instance="RandomizedDelay",
    mutability=RO,
    since="2.1",
    meaning="randomizedDelay of a schedule.",
)
SUPPORTS_LIMIT_AT_SOC = SMART.boolean(
    "SupportsFeature", True, instance="LimitAtSoC", mutability=RO, since="2.1", meaning="limitAtSoC of a schedule."
)
SUPPORTS_EVSE_SLEEP = SMART.boolean(
    "SupportsFeature", False, instance="EvseSleep", mutability=RO, since="2.1", meaning="evseSleep of a period."
)
SETPOINT_PRIORITY = SMART.option(
    "SetpointPriority",
    "CSMS",
    values=("CSMS", "External"),
    since="2.1",
    meaning="Whose set-point counts where the CSMS and an external system give one.",
)

COMPONENTS = (SMART,)
