"""What the car's machine takes in and what it asks its owner to do; its settings, its facts."""

from __future__ import annotations

from enum import StrEnum

import msgspec

# -- events


class Start(msgspec.Struct, frozen=True):
    """The data link is up: look for the charger."""


class SdpAnswer(msgspec.Struct, frozen=True):
    """A datagram came back."""

    data: bytes


class Connected(msgspec.Struct, frozen=True):
    """The connection asked for with `Connect` stands."""


class Received(msgspec.Struct, frozen=True):
    """Bytes from the charger."""

    data: bytes


class Disconnected(msgspec.Struct, frozen=True):
    """The connection is gone, or could not be made."""

    reason: str = "the charger closed the connection"


class FactsChanged(msgspec.Struct, frozen=True):
    """A wish or a value in the facts changed: do not wait for the next turn."""


# -- effects


class SendSdp(msgspec.Struct, frozen=True):
    """Send this datagram to the SDP multicast address and port."""

    data: bytes


class Connect(msgspec.Struct, frozen=True):
    """Connect to the charger (TCP, the address is link-local: the interface is the owner's)."""

    address: str
    port: int


class Send(msgspec.Struct, frozen=True):
    """Send these bytes; `name` is the message's."""

    data: bytes
    name: str


class Close(msgspec.Struct, frozen=True):
    """Close the connection."""


class SetPilot(msgspec.Struct, frozen=True):
    """Set the control pilot to state `B` or `C` (open or close S2)."""

    state: str


class Power(msgspec.Struct, frozen=True):
    """Close or open the car's contactors towards the battery (DC), begin or end drawing (AC)."""

    on: bool


class Step(StrEnum):
    """Where in the session the car is; reported when it gets there."""

    SEARCHING = "searching"
    CONNECTED = "connected"
    NEGOTIATED = "negotiated"
    SESSION = "session"
    AUTHORIZING = "authorizing"
    AUTHORIZED = "authorized"
    PARAMETERS = "parameters"
    CABLE_CHECK = "cable check"
    PRECHARGE = "pre-charge"
    CHARGING = "charging"
    RENEGOTIATING = "renegotiating"
    STOPPING = "stopping"
    WELDING_DETECTION = "welding detection"
    ENDED = "ended"


class Report(msgspec.Struct, frozen=True):
    """The session got to `step`; `what` says more for people."""

    step: Step
    what: str = ""


class SessionStopped(msgspec.Struct, frozen=True):
    """The session is over: `terminated` or `paused` as agreed, or `failed` and why."""

    outcome: str
    reason: str = ""
    session_id: bytes = b""
    """Of a paused session: what resumes it."""


# -- what the car is


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
    """How long the car looks."""
    ramp_down_limit_s: float = 2.0
    """How long the car asks for 0 A before it takes the power off."""
    timeout_factor: float = 1.0
    """Stretches the time-outs of single messages, for a world that runs many times faster than its machine can."""


class ChargerSays(msgspec.Struct):
    """What the charger said last, in SI units; None: nothing yet."""

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
    """Measured before the car's contactors; None: believe what PreChargeRes says."""
    target_voltage_V: float = 400.0
    target_current_A: float = 20.0
    """What the battery wants in the charge loop."""
    bulk_charging_complete: bool = False
    charging_complete: bool = False
    remaining_time_full_s: float | None = None
    remaining_time_bulk_s: float | None = None
    stop: bool = False
    """A wish: end the session."""
    pause: bool = False
    """A wish: pause the session (ISO 15118-2; where there is no pause the session ends)."""
    renegotiate: bool = False
    """A wish: renegotiate (ISO 15118-2); the machine takes it back once asked."""
    charger: ChargerSays = msgspec.field(default_factory=ChargerSays)
