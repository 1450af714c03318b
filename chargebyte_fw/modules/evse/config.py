"""The configuration of an EVSE, under EVerest's names."""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types.evse_manager import ConnectorTypeEnum
from chargebyte_fw.kernel.module import ConfigIssue, ModuleConfig


class ChargeMode(StrEnum):
    """What flows."""

    AC = "AC"
    DC = "DC"


class SaeMode(StrEnum):
    """Where an SAE J2847/2 EV discharges to."""

    V2H = "V2H"
    V2G = "V2G"


class SwitchPilot(StrEnum):
    """Pilot state while phases are switched."""

    X1 = "X1"
    F = "F"


class SessionIdType(StrEnum):
    """Form of session ids."""

    UUID = "UUID"
    UUID_BASE64 = "UUID_BASE64"
    SHORT_BASE64 = "SHORT_BASE64"


class BptChannelChoice(StrEnum):
    """ISO 15118-20 BPT channel; `None` sends nothing to HLC."""

    None_ = "None"
    Unified = "Unified"
    Separated = "Separated"


class GeneratorChoice(StrEnum):
    """ISO 15118-20 generator mode; `None` sends nothing to HLC."""

    None_ = "None"
    GridFollowing = "GridFollowing"
    GridForming = "GridForming"


class IslandChoice(StrEnum):
    """ISO 15118-20 islanding detection; `None` sends nothing to HLC."""

    None_ = "None"
    Active = "Active"
    Passive = "Passive"


class EvseConfig(ModuleConfig):
    """Configuration of one EVSE."""

    connector_id: Annotated[int, Meta(ge=1, le=128, description="Number of the EVSE.")]
    connector_type: Annotated[str, Meta(description="One of EVerest's connector types.")] = "Unknown"
    evse_id: Annotated[str, Meta(description="EVSE id for ISO 15118 and signed meter records.")] = "DE*PNX*E1234567*1"
    evse_id_din: Annotated[str, Meta(description="EVSE id for DIN 70121.")] = "49A80737A45678"
    payment_enable_eim: Annotated[bool, Meta(description="Offer external payment over HLC.")] = True
    payment_enable_contract: Annotated[bool, Meta(description="Offer contract payment over HLC.")] = True
    ac_nominal_voltage: Annotated[float, Meta(gt=0, description="Phase to neutral, in V.")] = 230.0
    ac_max_reactive_power: Annotated[
        float, Meta(ge=0, description="Reactive power for distributed energy offers, in var; 0 sends none.")
    ] = 0.0
    ev_receipt_required: Annotated[bool, Meta(description="Ask the EV for metering receipts.")] = False
    session_logging: Annotated[bool, Meta(description="Write an event log of each session.")] = False
    session_logging_path: Annotated[str, Meta(description="Folder above the sessions' folders.")] = "/tmp"
    session_logging_xml: Annotated[bool, Meta(description="Keep V2G messages as XML in the log.")] = True
    has_ventilation: Annotated[bool, Meta(description="Whether state D may charge.")] = True
    charge_mode: Annotated[ChargeMode, Meta(description="AC or DC.")] = ChargeMode.AC
    supported_iso_ac_bpt: Annotated[bool, Meta(description="Offer AC_BPT if the hardware can export.")] = False
    ac_hlc_enabled: Annotated[bool, Meta(description="Use SLAC and HLC on AC.")] = False
    ac_hlc_use_5percent: Annotated[bool, Meta(description="Show 5 % first on AC with HLC.")] = True
    ac_enforce_hlc: Annotated[bool, Meta(description="Never fall back to a nominal duty cycle on AC.")] = False
    ac_with_soc: Annotated[bool, Meta(description="Read the state of charge as DC, then charge as AC.")] = False
    internal_over_voltage_duration_ms: Annotated[
        int, Meta(ge=0, description="How long the error level must last, in ms.")
    ] = 400
    dbg_hlc_auth_after_tstep: Annotated[
        bool, Meta(description="Debugging: confirm external payment to HLC only after the t_step.")
    ] = False
    dc_isolation_voltage_V: Annotated[int, Meta(ge=0, description="Cable check voltage in V; 0 computes it.")] = 0
    cable_check_wait_number_of_imd_measurements: Annotated[
        int, Meta(description="Insulation samples needed; 0 or less takes none.")
    ] = 1
    cable_check_enable_imd_self_test: Annotated[
        bool, Meta(description="Self test of the insulation monitor at cable check voltage.")
    ] = True
    cable_check_enable_imd_self_test_relays_open: Annotated[
        bool, Meta(description="Self test of the insulation monitor before the contactors close.")
    ] = False
    cable_check_relays_open_voltage_V: Annotated[
        int, Meta(ge=0, description="Voltage of the self test with open contactors, in V.")
    ] = 48
    cable_check_relays_closed_timeout_s: Annotated[
        int, Meta(ge=0, description="How long to wait for the contactors' feedback, in s.")
    ] = 5
    cable_check_wait_below_60V_before_finish: Annotated[
        bool, Meta(description="Discharge below 60 V before success is reported.")
    ] = True
    hack_skoda_enyaq: Annotated[bool, Meta(description="Ignore targets below 300 V or below 0 A.")] = False
    hack_present_current_offset: Annotated[int, Meta(description="Added to the reported present current, in A.")] = 0
    hack_pause_imd_during_precharge: Annotated[
        bool, Meta(description="Stop the insulation monitor after the cable check until 1 kW flows.")
    ] = False
    hack_allow_bpt_with_iso2: Annotated[bool, Meta(description="Bidirectional DC in ISO 15118-2.")] = False
    hack_simplified_mode_limit_10A: Annotated[bool, Meta(description="10 A at most for an EV without state B.")] = False
    autocharge_use_slac_instead_of_hlc: Annotated[
        bool, Meta(description="Take the MAC of SLAC for Autocharge, not the EVCCID.")
    ] = False
    enable_autocharge: Annotated[bool, Meta(description="Publish a token from the EV's MAC.")] = False
    logfile_suffix: Annotated[
        str, Meta(description="End of the log folder's name; `session_uuid` stands for the session's id.")
    ] = "session_uuid"
    soft_over_current_tolerance_percent: Annotated[float, Meta(ge=0, description="Tolerance in percent.")] = 10.0
    soft_over_current_measurement_noise_A: Annotated[float, Meta(ge=0, description="Noise in A.")] = 0.5
    soft_over_current_timeout_ms: Annotated[
        int, Meta(ge=6000, description="How long an over-current must last, in ms.")
    ] = 7000
    hack_fix_hlc_integer_current_requests: Annotated[
        bool, Meta(description="Deliver the fraction offered when the EV asks for whole amperes.")
    ] = False
    disable_authentication: Annotated[
        bool, Meta(description="Free charging without Auth: every session is authorized at plug-in.")
    ] = False
    sae_j2847_2_bpt_enabled: Annotated[bool, Meta(description="SAE J2847/2 bidirectional DC.")] = False
    sae_j2847_2_bpt_mode: Annotated[SaeMode, Meta(description="V2H or V2G.")] = SaeMode.V2G
    request_zero_power_in_idle: Annotated[bool, Meta(description="Ask for no energy when not charging.")] = False
    external_ready_to_start_charging: Annotated[
        bool, Meta(description="Wait for the command of this name before the first session.")
    ] = False
    uk_smartcharging_random_delay_enable: Annotated[bool, Meta(description="Delay changes by chance.")] = False
    uk_smartcharging_random_delay_max_duration: Annotated[int, Meta(ge=0, description="Longest delay in s.")] = 600
    uk_smartcharging_random_delay_at_any_change: Annotated[
        bool, Meta(description="true: at any change above 0.1 A; false: only from or to 0 A.")
    ] = True
    initial_meter_value_timeout_ms: Annotated[
        int, Meta(ge=0, description="How long the start waits for a meter value, in ms; 0 does not wait.")
    ] = 5000
    switch_3ph1ph_delay_s: Annotated[int, Meta(ge=0, description="Pause while phases are switched, in s.")] = 10
    switch_3ph1ph_cp_state: Annotated[SwitchPilot, Meta(description="Pilot during that pause.")] = SwitchPilot.X1
    lock_connector_in_state_b: Annotated[bool, Meta(description="Lock in state B; false is against the standard.")] = (
        True
    )
    unlock_when_deauthorized: Annotated[bool, Meta(description="In B, lock only while authorized.")] = False
    state_F_after_fault_ms: Annotated[
        int, Meta(ge=0, description="State F after a new fault without HLC, in ms; 0 shows none.")
    ] = 300
    fail_on_powermeter_errors: Annotated[bool, Meta(description="Meter faults block charging.")] = True
    raise_mrec9: Annotated[bool, Meta(description="Raise MREC9 when no authorization comes in time.")] = False
    sleep_before_enabling_pwm_hlc_mode_ms: Annotated[
        int, Meta(ge=0, description="Time between plug-in and 5 %, in ms.")
    ] = 500
    central_contract_validation_allowed: Annotated[bool, Meta(description="The CSMS may validate contracts.")] = False
    contract_certificate_installation_enabled: Annotated[
        bool, Meta(description="Offer installation of contract certificates.")
    ] = True
    inoperative_error_use_vendor_id: Annotated[
        bool, Meta(description="Tell the vendor of the cause with Inoperative.")
    ] = False
    voltage_plausibility_max_spread_threshold_V: Annotated[
        float, Meta(ge=0, description="Greatest spread of the voltages measured, in V.")
    ] = 50.0
    voltage_plausibility_fault_duration_ms: Annotated[
        int, Meta(ge=0, description="How long the spread must last, in ms.")
    ] = 30_000
    session_id_type: Annotated[SessionIdType, Meta(description="Form of session ids.")] = SessionIdType.UUID
    zero_power_ignore_pause: Annotated[bool, Meta(description="Never ask HLC for a no-energy pause.")] = True
    zero_power_allow_ev_to_ignore_pause: Annotated[
        bool, Meta(description="Tolerate an EV that ignores the no-energy pause.")
    ] = False
    bpt_channel: Annotated[BptChannelChoice, Meta(description="BPT channel of ISO 15118-20.")] = BptChannelChoice.None_
    bpt_generator_mode: Annotated[GeneratorChoice, Meta(description="Generator mode of ISO 15118-20.")] = (
        GeneratorChoice.None_
    )
    bpt_grid_code_island_method: Annotated[IslandChoice, Meta(description="Islanding detection.")] = IslandChoice.None_
    hlc_charge_loop_without_energy_timeout_s: Annotated[
        int, Meta(ge=0, description="How long HLC stays in the loop without energy, in s.")
    ] = 5
    dc_ramp_ampere_per_second: Annotated[int, Meta(gt=0, description="Rise of the direct current, in A/s.")] = 25

    @property
    def dc(self) -> bool:
        """Direct current."""
        return self.charge_mode is ChargeMode.DC


def contradictions(config: EvseConfig, connected: Container[str], evse: int | None) -> Iterable[ConfigIssue]:
    """Yield what cannot be honoured with these requirements connected, mapped to EVSE number `evse`."""
    if config.dc:
        if config.ac_with_soc:
            what = "with direct current the EV reports its state of charge anyway: ac_with_soc has no effect"
            yield ConfigIssue("ac_with_soc", what, "set ac_with_soc to false", "warning", "C103")
        missing = ", ".join(name for name in ("slac", "hlc", "powersupply_DC") if name not in connected)
        if missing:
            yield ConfigIssue("charge_mode", f"DC charging needs {missing}", "connect it, or charge AC", number="C104")
        if "imd" not in connected:
            what = "no insulation monitor is connected: the cable check will not measure anything"
            yield ConfigIssue("charge_mode", what, "connect imd", "warning", "C105")
    elif not ("slac" in connected and "hlc" in connected):
        for key in ("ac_hlc_enabled", "ac_with_soc"):
            if getattr(config, key):
                what = f"without slac and hlc the EV cannot be spoken to: {key} has no effect"
                yield ConfigIssue(key, what, "connect both, or set it to false", "warning", "C106")
    if not config.payment_enable_eim and not config.payment_enable_contract:
        what = "both payments are off: external payment is offered anyway"
        yield ConfigIssue("payment_enable_eim", what, "set payment_enable_eim to true", "warning", "C107")
    if config.connector_type not in list(ConnectorTypeEnum):
        what = f"connector_type {config.connector_type} is not one of EVerest's"
        yield ConfigIssue("connector_type", what, f"known: {', '.join(ConnectorTypeEnum)}", "warning", "C108")
    if not config.lock_connector_in_state_b:
        what = "the connector can be pulled in state B, which IEC 61851-1 does not allow"
        yield ConfigIssue("lock_connector_in_state_b", what, "set it to true", "warning", "C109")
    if evse is not None and evse != config.connector_id:
        what = f"connector_id is {config.connector_id}, but the mapping says EVSE {evse}: faults are shown for that one"
        yield ConfigIssue("connector_id", what, "use one number for both", "warning", "C110")
