"""What the charger knows and its responses carry, by lifetime; the commands of the contract write it.

`ChargerFacts` lives as long as the module, its `session` as long as one V2G session: it is replaced whole at the end.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from chargebyte_fw.contracts.types import iso15118, power_supply_DC, units
from chargebyte_fw.contracts.types.grid_support import Directive
from chargebyte_fw.contracts.types.iso15118_vas import OfferedService, ParameterSet
from chargebyte_fw.modules.v2g.secc.back_end import BackEnd
from chargebyte_fw.modules.v2g.secc.contracts import ContractVerification


class Iso20Settings(msgspec.Struct):
    """Configuration that only the sessions of ISO 15118-20 honour."""

    dynamic: bool = True
    """Offer Dynamic control: the charger decides on the power."""
    scheduled: bool = False
    """Offer Scheduled control: the car decides, within a schedule. Offered as well where no control is configured."""
    mobility_needs_by_secc: bool = False
    """Offer that the charger sets departure and state of charge (Dynamic control)."""
    energy_service_decides: bool = False
    """Select a name space only where the charger has an energy service of it."""
    negative_discharge_limits: bool = False
    """Discharge limits are negative on the wire, both ways."""
    pricing: str = "absolute"
    """How prices are given where some are known: `absolute` (money), `levels` or `none`."""
    service_renegotiation: bool = True
    """Let a car choose other services without a new session."""
    schedule_renegotiation: bool = False
    """Ask a car in Scheduled control for a new schedule where the power falls below the agreed one."""
    standby: bool = False
    """Let a car keep the session without power."""
    power_tolerance_W: float = 0.0
    """How far the power of a car in Scheduled control may be beside its profile; 0: nothing is stated."""
    charge_loop_timeout_s: float = 2.0
    """How long the next request of the charge loop is waited for; the standard's time is 0.5 s (table 216)."""


class Settings(msgspec.Struct):
    """Configuration of the module that the sessions honour."""

    auth_timeout_eim_s: float = 300.0
    """Time limit of an authorization by external means, in s; 0: none."""
    auth_timeout_pnc_s: float = 55.0
    """Time limit of an authorization by contract, in s; 0: none."""
    verify_contract_cert_chain: bool = False
    """Verify contract chains against the installed V2G and MO roots."""
    reject_invalid_receipts: bool = False
    """Refuse a metering receipt that is not of the value that was sent, or not signed by the contract."""
    terminate_connection_on_failed_response: bool = False
    publish_telemetry_only_on_change: bool = True
    price_keys: tuple[Any, ...] = ()
    """Private keys of contract issuers: prices for their contracts are signed."""
    without_tls: bool = False
    """A protocol that demands a TLS version may run on plain TCP as well (simulation, laboratories)."""
    iso20: Iso20Settings = msgspec.field(default_factory=Iso20Settings)


class CertificateResponse(msgspec.Struct, frozen=True):
    """The answer of a back end to CertificateInstallationReq or CertificateUpdateReq."""

    exi: bytes
    """The response as the car gets it; empty where the back end has none."""


class PausedSession(msgspec.Struct, frozen=True):
    """What a paused session leaves for its resumption."""

    session_id: bytes
    evcc_id: str = ""
    """The car's address; empty where it has none."""
    payment_option: str = ""
    """An `iso15118.PaymentOption`: who pays does not change within a session."""
    departure: datetime | None = None
    """When the car wants to leave."""


class PausedIso20Session(msgspec.Struct, frozen=True):
    """What a paused session of ISO 15118-20 leaves for its resumption by the same car."""

    session_id: bytes
    vehicle: bytes
    """The hash of session id and vehicle certificate."""
    service: int
    """Service id, parameter set id and parameters of the selected energy service."""
    set_id: int
    parameters: dict[str, int]
    others: tuple[tuple[int, int], ...] = ()
    """The other selected services: service id and parameter set id."""


class SessionFacts(msgspec.Struct):
    """Answers of the charging station to one V2G session; none of them is valid in the next one."""

    authorized: bool | None = None
    """None: not decided yet."""
    certificate_status: str = "Accepted"
    """An `authorization.CertificateStatus`: why a contract is refused."""
    cable_check: bool | None = None
    """Passed or failed; None: no result."""
    cable_check_aborted: bool = False
    """The check ended without a result because the charger wants the session to end."""
    isolation: str = "Invalid"
    """An `iso15118.IsolationStatus`."""
    no_energy_pause: str = ""
    """An `iso15118.NoEnergyPauseMode` that is active, empty without one."""
    pause_requested: bool = False
    """The charger wants the session to pause (ISO 15118-20)."""
    contract_verification: ContractVerification | None = None
    """The answer of the certificate store about the contract chain in question; None: not there yet."""
    certificate_request: str = ""
    """An `iso15118.CertificateActionEnum`: what the car waits for from the back end; empty: nothing."""
    certificate_response: CertificateResponse | None = None
    """The back end's answer to it; None: not there yet."""
    needs_answered: bool = False
    """The back end has its schedule for the needs that the car has now, or has none."""
    service_parameters: dict[int, list[ParameterSet] | None] = msgspec.field(default_factory=dict)
    """Parameter sets of value-added services by service id; None: the provider failed."""

    @property
    def without_energy(self) -> bool:
        """Whether there is no energy now and the car may not ignore it (IEC 61851-23:2023 CC.3.5, CC.5.6)."""
        return self.no_energy_pause in ("PauseAfterPrecharge", "PauseBeforeCableCheck")


class Price(msgspec.Struct, frozen=True):
    """What energy costs from a time on."""

    from_s: int
    """Seconds since 1970."""
    per_kWh: float
    currency: str
    """ISO 4217."""


class Iso20Facts(msgspec.Struct):
    """Facts of the EVSE that only ISO 15118-20 has a place for, in SI units; None where nothing was given."""

    paused: PausedIso20Session | None = None
    """The session that the next SessionSetupReq may join."""
    bpt: iso15118.BptSetup | None = None
    dc_supply: power_supply_DC.Capabilities | None = None
    """What the power supply is made for."""
    dc_min_power_W: float = 0.0
    dc_max_discharge_current_A: float | None = None
    dc_max_discharge_power_W: float | None = None
    dc_min_discharge_current_A: float = 0.0
    dc_min_discharge_power_W: float = 0.0
    ac_parameters: iso15118.AcParameters | None = None
    ac_maximum: iso15118.AcEvseMaximumPower | None = None
    ac_minimum: iso15118.AcEvseMinimumPower | None = None
    ac_target: iso15118.AcTargetValues | None = None
    """What the car should draw, or deliver (negative), now."""
    ac_present: units.Power | None = None
    meter_export_Wh: float | None = None
    meter_at: str = ""
    """When the meter was read (RFC 3339)."""
    departure_of_day: str = ""
    """When cars leave (hh:mm, local time), where the charger sets the mobility needs; empty: it is not known."""
    grid_support: bool = False
    """The module provides `grid_support`: only then cars may be under the grid's rules (AC_DER_IEC)."""
    directives: list[Directive] = msgspec.field(default_factory=list)
    """The grid's directives in force."""
    grid_evse_id: int = 1
    """The EVSE by the grid's number."""
    target_soc_percent: int | None = None
    minimum_soc_percent: int | None = None


class ChargerFacts(msgspec.Struct):
    """Facts of the EVSE, in SI units."""

    evse_id: str = "DE*CBY*ETE1*234"
    evse_id_din: str = ""
    payment_options: list[str] = msgspec.field(default_factory=lambda: ["ExternalPayment"])
    certificate_service: bool = False
    """Contract certificates may be installed and updated."""
    central_contract_validation: bool = False
    """A back end judges contracts whose root is not installed here."""
    receipt_required: bool = False
    """Cars with a contract sign the meter's values."""
    unanswered_certificates: list[bytes] = msgspec.field(default_factory=list)
    """Session ids whose certificate requests the back end did not answer in time: what it sends later is dropped."""
    energy_transfer_modes: list[str] = msgspec.field(default_factory=lambda: ["DC_extended"])
    app_protocols: list[str] = msgspec.field(default_factory=lambda: ["DIN70121", "ISO15118D2"])
    """What may be negotiated."""
    bidirectional_mode: str = "None"
    """SAE J2847/2: `V2G`, `V2H` or `None`."""

    dc_max_voltage_V: float = 0.0
    dc_max_current_A: float = 0.0
    dc_max_power_W: float | None = None
    dc_min_voltage_V: float = 0.0
    dc_min_current_A: float = 0.0
    dc_supply_max_power_W: float = 0.0
    """Greatest power of the power supply; the schedule offers it."""
    current_regulation_tolerance_A: float | None = None
    peak_current_ripple_A: float = 0.0
    energy_to_be_delivered_Wh: float | None = None
    ac_nominal_voltage_V: float = 230.0
    ac_max_current_A: float = 0.0
    """Current per phase that a car may draw now."""
    ac_rated_current_A: float = 0.0
    """Current per phase that the station is made for; 0 before any limits were given."""
    ac_greatest_current_A: float = 0.0
    """The greatest `ac_max_current_A` so far."""

    present_voltage_V: float = 0.0
    present_current_A: float = 0.0
    contactor_closed: bool = False
    meter_id: str = ""
    meter_Wh: float | None = None
    meter_signature: bytes = b""
    """The meter's own signed value, where it is short enough for SigMeterReading; else empty."""
    meter_is_new: bool = False
    """A value came since the last response that carried one."""

    offered_services: dict[int, OfferedService] = msgspec.field(default_factory=dict)
    """Value-added services by id."""

    prices: list[Price] = msgspec.field(default_factory=list)
    """The forecast of energy prices; empty: none is known."""
    stop_requested: bool = False
    error: str = ""
    """An `iso15118.EvseError` that is active, empty without one."""
    paused: PausedSession | None = None
    """The session that the next SessionSetupReq may join."""
    back_end: BackEnd = msgspec.field(default_factory=BackEnd)
    session: SessionFacts = msgspec.field(default_factory=SessionFacts)
    iso20: Iso20Facts = msgspec.field(default_factory=Iso20Facts)

    def forget_paused(self) -> None:
        """Drop the paused session: its plug-in is over, or a car has begun another session."""
        self.paused = self.iso20.paused = None

    @property
    def is_dc(self) -> bool:
        """Whether direct current is offered at all."""
        return any(not mode.startswith("AC") for mode in self.energy_transfer_modes)

    @property
    def ac_nominal_current_A(self) -> float:
        """The current per phase of the charge parameters, whatever the grid grants at this moment (AC).

        It is the most that was ever granted, since a fuse may hold the station below what it is made for; that is
        reported only before anything was granted.
        """
        return max(self.ac_greatest_current_A, self.ac_max_current_A) or self.ac_rated_current_A

    @property
    def power_limit_W(self) -> float:
        """The power that may flow (DC): what was allotted, else the limit of the power supply."""
        return self.dc_supply_max_power_W if self.dc_max_power_W is None else self.dc_max_power_W

    @property
    def schedule_power_W(self) -> float:
        """The power that the schedule offers (DC): the limit of the power supply, else what was allotted."""
        return self.dc_supply_max_power_W or self.power_limit_W
