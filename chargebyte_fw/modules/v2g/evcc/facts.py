"""What the car is and wants, and what it knows of the charger; in SI units."""

from __future__ import annotations

import msgspec


class CarSettings(msgspec.Struct):
    """What does not change during a session, in SI units."""

    protocols: tuple[str, ...] = ("ISO15118D2", "DIN70121")
    """What the car offers, best first: `ISO15118D2`, `DIN70121`."""
    energy_transfer_mode: str = "DC_extended"
    """`DC_core`, `DC_extended`, `AC_single_phase_core`, `AC_three_phase_core`, ... (AC: ISO 15118-2 only)."""
    evcc_id: bytes = b"\x02\0\0\0\0\x02"
    """Hardware address of the car."""
    session_id: bytes = bytes(8)
    """Of the paused session to take up; zero: a new one."""
    max_voltage_V: float = 440.0
    max_current_A: float = 300.0
    max_power_W: float | None = 150_000.0
    min_current_A: float = 6.0
    """AC: least current per phase the on-board charger works with."""
    energy_capacity_Wh: float | None = 60_000.0
    energy_request_Wh: float | None = None
    """AC: energy wanted until departure (EAmount); DC: the same as a wish."""
    full_soc_percent: int | None = 100
    bulk_soc_percent: int | None = 80
    departure_time_s: int | None = None
    """From now to the departure."""
    demand_pause_s: float = 0.1
    """From a CurrentDemandRes to the next CurrentDemandReq."""
    status_pause_s: float = 1.0
    """From a ChargingStatusRes to the next ChargingStatusReq."""
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
    evse_id: str = ""
    present_voltage_V: float = 0.0
    present_current_A: float = 0.0
    max_voltage_V: float | None = None
    max_current_A: float | None = None
    max_power_W: float | None = None
    ac_max_current_A: float | None = None
    ac_nominal_voltage_V: float | None = None
    status_code: str = ""
    isolation: str = ""
    notification: str = "None"
    response_code: str = ""
    meter_Wh: float | None = None
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
    """What the battery wants in the charge loop."""
    bulk_charging_complete: bool = False
    charging_complete: bool = False
    remaining_time_full_s: float | None = None
    remaining_time_bulk_s: float | None = None
    stop: bool = False
    """Wanted: end the session."""
    pause: bool = False
    """Wanted: pause the session (ISO 15118-2; where there is no pause the session ends)."""
    renegotiate: bool = False
    """Wanted: renegotiate (ISO 15118-2); the machine resets it once asked."""
    charger: ChargerValues = msgspec.field(default_factory=ChargerValues)
