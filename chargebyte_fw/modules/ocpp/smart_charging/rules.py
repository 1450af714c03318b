"""What the station supports and assumes (`SmartChargingCtrlr`, keys of OCPP 1.6), and the situation."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.ocpp.smart_charging.profile import Mode, Purpose, RateUnit

V16, V201, V21 = "ocpp1.6", "ocpp2.0.1", "ocpp2.1"


class SmartChargingRules(msgspec.Struct, frozen=True, kw_only=True):
    """Configuration of smart charging, read from the variables when it is needed."""

    version: str = V21
    """The sub-protocol that is spoken."""
    available: bool = True
    units: frozenset[RateUnit] = frozenset(RateUnit)
    max_stack_level: int = 42
    max_periods: int = 1440
    max_profiles: int = 500
    max_installed_periods: int = 20_000
    """Periods of all profiles together: what bounds the memory."""
    purposes: frozenset[Purpose] = frozenset({Purpose.STATION_MAX, Purpose.TX_DEFAULT, Purpose.TX})
    """What OCPP 1.6 accepts (`SupportedChargingProfilePurposeTypes`)."""
    additional_purposes: frozenset[Purpose] = frozenset()
    """What OCPP 2.1 accepts besides (`SupportedAdditionalPurposes`)."""
    ignored_offline: frozenset[Purpose] = frozenset()
    """Purposes that do not count without a connection (`IgnoredProfilePurposesOffline`)."""
    persisted: frozenset[Purpose] = frozenset(Purpose)
    """What is kept over a restart (`ChargingProfilePersistence`)."""
    max_composite_s: int = 31_536_000
    default_limit_A: float = 48.0
    default_limit_W: float = 33_120.0
    default_phases: int = 3
    voltage_V: float = 230.0
    """Between phase and neutral: converts A to W."""
    allow_no_start: bool = False
    """OCPP 1.6: an absolute or recurring profile without startSchedule starts at once."""
    phase_switching: bool = False
    """`ACPhaseSwitchingSupported`: phaseToUse is allowed."""
    update_rate_limit_s: int = 0
    max_external_id: int | None = None
    """Ids up to here belong to external systems (`MaxExternalConstraintsId`)."""
    dynamic: bool = False
    local_time: bool = False
    randomized_delay: bool = False
    """Periods begin late by a random time."""
    limit_at_soc: bool = False
    evse_sleep: bool = False
    modes: frozenset[Mode] | None = None
    """`V2XChargingCtrlr.SupportedOperationModes`; None: V2X is not available."""
    seed: str = ""
    """What distinguishes the randomized delay of this station from others': its identity."""


class EvseState(msgspec.Struct, frozen=True, kw_only=True):
    """An EVSE as smart charging sees it."""

    transaction: bool = False
    """Whether a transaction runs."""
    transaction_id: str | None = None
    """The id that the CSMS knows; None while OCPP 1.6 waits for StartTransaction.conf."""
    transaction_start_s: int | None = None
    priority: bool = False
    """Priority charging is active (OCPP 2.1, K21)."""
    soc_percent: float | None = None
    phases: int = 3
    """Phases of the supply; 0: DC."""
    phases_of_DC: bool = False
    """`DCInputPhaseControl`: phases may be given for a DC EVSE."""


class LocalTime(msgspec.Struct, frozen=True):
    """Local time of the station: `ClockCtrlr.TimeOffset`, and the next transition if one is configured."""

    offset_s: int = 0
    transition_s: int | None = None
    """UTC second from which `offset_after_s` holds."""
    offset_after_s: int = 0

    def offset_at(self, utc_s: int) -> int:
        """Return the seconds by which local time is ahead of UTC."""
        if self.transition_s is not None and utc_s >= self.transition_s:
            return self.offset_after_s
        return self.offset_s

    def to_utc(self, local_s: int) -> int:
        """Return the UTC second of a local time; what a transition skips or repeats is counted with the old offset."""
        before = local_s - self.offset_s
        if self.transition_s is None or before < self.transition_s:
            return before
        return max(self.transition_s, local_s - self.offset_after_s)


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule depends on besides the profiles."""

    now_s: int
    evses: dict[int, EvseState]
    offline_since_s: int | None = None
    """None while the station is connected."""
    local: LocalTime = LocalTime()
