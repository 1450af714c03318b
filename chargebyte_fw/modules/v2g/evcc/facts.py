"""What the car is and wants, and what it knows of the charger; in SI units."""

from __future__ import annotations

import msgspec

from chargebyte_fw.modules.v2g.evcc.credentials import KeyStore
from chargebyte_fw.modules.v2g.evcc.misbehaviour import Misbehaviour


class Paused(msgspec.Struct, frozen=True):
    """What a paused session leaves for its resumption. The services: ISO 15118-20, which goes on with them."""

    session_id: bytes
    service_id: int = 0
    parameter_set_id: int = 0
    parameters: tuple[tuple[str, int], ...] = ()
    """Name and value of each integer parameter of the service."""


class CarSettings(msgspec.Struct):
    """What does not change during a session, in SI units."""

    protocols: tuple[str, ...] = ("ISO15118D2", "DIN70121")
    """What the car offers, best first: `ISO15118D20`, `ISO15118D2`, `DIN70121`."""
    energy_transfer_mode: str = "DC_extended"
    """EVerest's name: `DC_core`, `DC_extended`, `DC_BPT`, `AC_three_phase_core`, `AC_BPT`, `MCS`, `MCS_BPT`, ..."""
    energy_services: tuple[str, ...] = ()
    """ISO 15118-20: the energy services that the car takes (`DC_BPT`, `DC`), best first; empty: those of its mode."""
    tls: str = "none"
    """`none`: plain TCP alone; `offer`: TLS where the charger has it; `require`: no session without."""
    payment: str = "auto"
    """`external`, `contract`, or `auto`: the contract where the car has one and the charger takes it."""
    force_payment: bool = False
    """Select that payment in ISO 15118-2 even where the charger does not offer it: to see what it answers."""
    keys: KeyStore = KeyStore()
    install_contract: str = "missing"
    """When to ask for a contract: `missing` (the car has none), `always`, `update` (renew it, -2 only), `never`."""
    control_mode: str = ""
    """ISO 15118-20: `Scheduled` or `Dynamic`; empty: what the charger names first."""
    mobility_needs_by: str = ""
    """ISO 15118-20: who may set departure and state of charge, `EVCC` or `SECC`; empty: either."""
    parking: str = ""
    """ISO 15118-20, where the charger has the parking status: check `in`, `out` or `both`; empty: neither."""
    der_functions: int = 0xFFF
    """AC_DER_IEC: what the on-board charger can do of the grid's rules, the bits of DERControlFunctions."""
    max_reactive_power_var: float = 0.0
    """AC_DER_IEC: the most reactive power, over- and under-excited."""
    multiplexed_renegotiation: bool = True
    """ISO 15118-20: renegotiate the schedule beside the charge loop, not in the main stream."""
    misbehaviours: tuple[Misbehaviour, ...] = ()
    """What the car does wrong on purpose."""
    evcc_id: bytes = b"\x02\0\0\0\0\x02"
    """Hardware address of the car."""
    evcc_name: str = ""
    """EVCCID in ISO 15118-20 (a text); empty: the hardware address."""
    session_id: bytes = bytes(8)
    """Of the paused session to take up; zero: a new one."""
    paused: Paused | None = None
    """The paused session to take up with all it leaves (ISO 15118-20)."""
    max_voltage_V: float = 440.0
    max_current_A: float = 300.0
    max_power_W: float | None = 150_000.0
    min_power_W: float = 0.0
    min_voltage_V: float = 150.0
    phases: int = 3
    """AC in ISO 15118-20: phases of the on-board charger."""
    max_discharge_power_W: float = 0.0
    max_discharge_current_A: float = 0.0
    min_discharge_power_W: float = 0.0
    min_current_A: float = 6.0
    """AC: least current per phase the on-board charger works with."""
    energy_capacity_Wh: float | None = 60_000.0
    energy_request_Wh: float | None = None
    """AC: energy wanted until departure (EAmount); DC: the same as a wish."""
    full_soc_percent: int | None = 100
    bulk_soc_percent: int | None = 80
    target_soc_percent: int = 80
    min_soc_percent: int = 20
    """State of charge that the driver always wants to have."""
    departure_time_s: int | None = None
    """To the departure, from when the car first names it, or names another one."""
    demand_pause_s: float = 0.1
    """From a CurrentDemandRes to the next CurrentDemandReq."""
    status_pause_s: float = 1.0
    """From a ChargingStatusRes to the next ChargingStatusReq."""
    loop_pause_s: float = 0.2
    """From an AC_ChargeLoopRes to the next AC_ChargeLoopReq: the charger waits 0.5 s (ISO 15118-20 table 216)."""
    ongoing_pause_s: float = 0.25
    """Before a request is repeated that the charger is still working on."""
    precharge_tolerance_V: float = 20.0
    """How close to the battery's voltage the charger must get (IEC 61851-23: less than 20 V)."""
    welding_detection: bool = True
    welding_below_V: float = 60.0
    """Below this the contactors are taken for open."""
    welding_limit_s: float = 3.0
    """How long the car waits for that."""
    ramp_down_limit_s: float = 2.0
    """How long the car asks for 0 A before it takes the power off."""
    timeout_factor: float = 1.0
    """Stretches the time-outs of single messages, for a world that runs many times faster than its machine can."""


class ChargerValues(msgspec.Struct):
    """The charger's values as last received, in SI units; None: none yet."""

    protocol: str = ""
    tls_version: str = ""
    """`1.2` or `1.3`; empty without TLS."""
    evse_id: str = ""
    identity: str = ""
    """How the car is authorized: `EIM`, or the contract's eMAID."""
    service: str = ""
    """The energy service, its control mode with it (ISO 15118-20)."""
    present_voltage_V: float = 0.0
    present_current_A: float = 0.0
    max_voltage_V: float | None = None
    max_current_A: float | None = None
    max_power_W: float | None = None
    max_discharge_power_W: float | None = None
    max_discharge_current_A: float | None = None
    reactive_power_var: float | None = None
    """AC_DER_IEC: the set point of the reactive power; None: there is none."""
    power_factor: float | None = None
    """AC_DER_IEC: the set point of cos phi, below zero where the car is to be under-excited; None: there is none."""
    ac_max_current_A: float | None = None
    """Per phase; below zero: what the car is to feed back."""
    ac_nominal_voltage_V: float | None = None
    departure_s: int | None = None
    """When the charger has the car leave, from then on; None: the car decides (ISO 15118-20, Dynamic)."""
    target_soc_percent: int | None = None
    minimum_soc_percent: int | None = None
    status_code: str = ""
    isolation: str = ""
    notification: str = "None"
    response_code: str = ""
    meter_Wh: float | None = None
    discharged_Wh: float | None = None
    """What the meter counted back into the grid."""
    energy_cost: float | None = None
    """Of the session until now, from a receipt, in `currency`."""
    currency: str = ""
    price_per_kWh: float | None = None
    """Of the tariff that holds now, in `currency`; None: none was announced."""
    price_level: int | None = None
    prices_signed: bool = False
    """The issuer of the car's contract has signed the prices."""
    current_limit_achieved: bool = False
    voltage_limit_achieved: bool = False
    power_limit_achieved: bool = False


class CarFacts(msgspec.Struct):
    """What changes while the car charges. The owner writes all but `charger`."""

    soc_percent: float = 30.0
    ready: bool = True
    """EVReady of DC_EVStatus."""
    error_code: str = "NO_ERROR"
    """EVErrorCode of DC_EVStatus; anything else makes the car stop."""
    battery_voltage_V: float = 350.0
    """What pre-charge must reach."""
    inlet_voltage_V: float | None = None
    """Measured before the car's contactors; None: take the value of PreChargeRes."""
    target_voltage_V: float = 400.0
    target_current_A: float = 20.0
    """What the battery wants in the charge loop; below zero: what it gives (ISO 15118-20, bidirectional)."""
    present_power_W: float = 0.0
    """AC: what the on-board charger draws now; below zero: what it feeds back."""
    wall_offset_s: float = 0.0
    """Unix time minus the machine's time: what a time stamp and a certificate's validity are counted by."""
    bulk_charging_complete: bool = False
    charging_complete: bool = False
    remaining_time_full_s: float | None = None
    remaining_time_bulk_s: float | None = None
    stop: bool = False
    """Wanted: end the session."""
    pause: bool = False
    """Wanted: pause the session (ISO 15118-2; where there is no pause the session ends)."""
    renegotiate: bool = False
    """Wanted: renegotiate the schedule; the machine resets it once asked."""
    renegotiate_services: bool = False
    """Wanted: renegotiate the services (ISO 15118-20); the machine resets it once asked."""
    grid_event: int = 0
    """AC_DER_IEC: the condition of the grid that the car notices (GridEventCondition), 0: none."""
    standby: bool = False
    """Wanted: keep the session without power (ISO 15118-20)."""
    charger: ChargerValues = msgspec.field(default_factory=ChargerValues)
