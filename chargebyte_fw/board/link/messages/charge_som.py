"""Every message between host and safety controller of a Charge SOM, as declarations (bits of the 64-bit payload).

Messages of the MCS boards and of the service firmware are in `messages_mcs.py` and `messages_service.py`; what older
firmware lays out differently is in `generations.py`.
"""

from __future__ import annotations

from chargebyte_fw.board.link.messages.declaration import Message, OpenEnum, Sender, bits, frame, octets

HOST, MCU = Sender.HOST, Sender.MCU


class SafeStateActive(OpenEnum):
    """Whether the safety controller has let go of everything."""

    NORMAL = 0
    SAFE_STATE = 1
    UNDEFINED = 2
    NOT_AVAILABLE = 3


class InletState(OpenEnum):
    """Plug lock (firmware with parameter block version 3; 0 before)."""

    UNDEFINED = 0
    OPEN = 1
    OPENING = 2
    CLOSED = 3
    CLOSING = 4
    ERROR = 5
    NOT_CONFIGURED = 7


class CpState(OpenEnum):
    """State of the control pilot (IEC 61851-1)."""

    UNKNOWN = 0
    A = 1
    B = 2
    C = 3
    D = 4
    E = 5
    F = 6
    INVALID = 7


class PpState(OpenEnum):
    """State of the proximity pilot; a fixed cable reports NO_CABLE."""

    NO_CABLE = 0
    A_13 = 1
    A_20 = 2
    A_32 = 3
    A_63_3PH_70_1PH = 4
    TYPE1_CONNECTED = 5
    TYPE1_BUTTON_PRESSED = 6
    INVALID = 7


class ContactorState(OpenEnum):
    """A contactor, by its feedback."""

    UNDEFINED = 0
    OPEN = 1
    CLOSED = 2
    UNUSED = 3


class RcmState(OpenEnum):
    """Residual current monitor (firmware 0.4 and newer; 0 before)."""

    NOT_CONFIGURED = 0
    MONITORING = 1
    SELF_TEST_RUNNING = 2
    ERROR = 3


class EstopState(OpenEnum):
    """One emergency input."""

    NOT_TRIPPED = 0
    TRIPPED = 1
    RESERVED = 2
    UNUSED = 3


class SafeStateReason(OpenEnum):
    """Why the safety controller is in its safe state; `text` is the error sub-type that EVerest's tools know."""

    NO_SAFE_STATE = 0
    INTERNAL_ERROR = 1
    COMMUNICATION_TIMEOUT = 2
    TEMPERATURE_1_MALFUNCTION = 3
    TEMPERATURE_2_MALFUNCTION = 4
    TEMPERATURE_3_MALFUNCTION = 5
    TEMPERATURE_4_MALFUNCTION = 6
    TEMPERATURE_1_OVER_TEMPERATURE = 7
    TEMPERATURE_2_OVER_TEMPERATURE = 8
    TEMPERATURE_3_OVER_TEMPERATURE = 9
    TEMPERATURE_4_OVER_TEMPERATURE = 10
    PROXIMITY_PILOT_ERROR = 11
    CONTROL_PILOT_ERROR = 12
    CONTROL_PILOT_SHORT_CIRCUIT = 13
    CONTROL_PILOT_DIODE_NOT_DETECTED = 14
    HIGH_VOLTAGE_SWITCH_MALFUNCTION = 15
    EMERGENCY_INPUT_1 = 16
    EMERGENCY_INPUT_2 = 17
    EMERGENCY_INPUT_3 = 18
    UNDEFINED = 19
    RCM_TRIPPED = 20
    RCM_SELF_TEST_FAILED = 21

    @property
    def text(self) -> str:
        """The reason in words, as the shipped driver spells it."""
        return _REASON_TEXTS.get(self.value, f"reason {self.value}")


_REASON_TEXTS = {
    0: "no safe state",
    1: "internal error",
    2: "communication timeout",
    **{2 + n: f"temperature {n} malfunction" for n in (1, 2, 3, 4)},
    **{6 + n: f"temperature {n} over-temperature" for n in (1, 2, 3, 4)},
    11: "Proximity Pilot error",
    12: "Control Pilot error",
    13: "Control Pilot short-circuit",
    14: "Control Pilot diode not detected",
    15: "high-voltage switch malfunction",
    16: "emergency input 1",
    17: "emergency input 2",
    18: "emergency input 3",
    19: "undefined",
    20: "RCM tripped",
    21: "RCM self-test failed",
}


class Platform(OpenEnum):
    """The board that the firmware was built for."""

    UNKNOWN = 0x00
    CHARGE_SOM = 0x81
    CHARGE_CONTROL_Y = 0x82
    UNSPECIFIED = 0xFF

    @property
    def text(self) -> str:
        """The product's name."""
        return {0: "unknown", 0x81: "Charge SOM", 0x82: "Charge Control Y", 0xFF: "unspecified"}.get(
            self.value, f"platform 0x{self.value:02X}"
        )


class Application(OpenEnum):
    """Which kind of firmware is running."""

    FIRMWARE = 3
    END_OF_LINE = 4
    QUALIFICATION = 5

    @property
    def text(self) -> str:
        """The kind in words."""
        return {3: "firmware", 4: "end-of-line", 5: "qualification"}.get(self.value, f"application {self.value}")


class ActionId(OpenEnum):
    """What the safety controller can be asked to do once."""

    NONE = 0
    RCM_SELF_TEST = 1
    INLET_CLOSE = 2
    INLET_OPEN = 3


@frame(0x06, HOST)
class ChargeControl(Message):
    """What the host wants, every 100 ms and at once on a change. All zero: pilot at 0 V, every contactor open."""

    pwm_active: bool = bits(63, default=False)
    duty_percent: float = bits(57, 48, scale=0.1, unit="%", maximum=1000, default=0.0)
    """With `pwm_active`: 0 is constant -12 V (state F), 100 constant +12 V (X1)."""
    contactor_3_close: bool = bits(42, default=False)
    contactor_2_close: bool = bits(41, default=False)
    contactor_1_close: bool = bits(40, default=False)


@frame(0x07, MCU)
class ChargeState(Message):
    """What the safety controller sees and does, every 100 ms once it runs."""

    pwm_active: bool = bits(63, default=False)
    safe_state_active: SafeStateActive = bits(59, 58, default=SafeStateActive.NORMAL)
    duty_percent: float = bits(57, 48, scale=0.1, unit="%", default=0.0)
    inlet: InletState = bits(47, 45, default=InletState.UNDEFINED)
    diode_fault: bool = bits(44, default=False)
    cp_short_circuit: bool = bits(43, default=False)
    cp_state: CpState = bits(42, 40, default=CpState.UNKNOWN)
    pp_state: PpState = bits(34, 32, default=PpState.NO_CABLE)
    hv_ready: bool = bits(30, default=False)
    contactor_3: ContactorState = bits(29, 28, default=ContactorState.UNDEFINED)
    contactor_2: ContactorState = bits(27, 26, default=ContactorState.UNDEFINED)
    contactor_1: ContactorState = bits(25, 24, default=ContactorState.UNDEFINED)
    rcm: RcmState = bits(23, 22, default=RcmState.NOT_CONFIGURED)
    estop_3: EstopState = bits(21, 20, default=EstopState.NOT_TRIPPED)
    estop_2: EstopState = bits(19, 18, default=EstopState.NOT_TRIPPED)
    estop_1: EstopState = bits(17, 16, default=EstopState.NOT_TRIPPED)
    safe_state_reason: SafeStateReason = bits(15, 8, default=SafeStateReason.NO_SAFE_STATE)

    @property
    def contactors(self) -> tuple[ContactorState, ContactorState, ContactorState]:
        """The three contactors, first one first."""
        return (self.contactor_1, self.contactor_2, self.contactor_3)

    @property
    def contactor_fault(self) -> bool:
        """Whether any contactor failed to follow."""
        return self.safe_state_reason is SafeStateReason.HIGH_VOLTAGE_SWITCH_MALFUNCTION


TEMPERATURE_UNUSED = 0x1FFF


@frame(0x08, MCU)
class Pt1000State(Message):
    """Four temperature channels, every 100 ms; an unused channel has no temperature."""

    temperature_1_C: float | None = bits(
        63, 50, scale=0.1, signed=True, unit="°C", absent=TEMPERATURE_UNUSED, default=None
    )
    self_test_failed_1: bool = bits(49, default=False)
    stops_charging_1: bool = bits(48, default=False)
    temperature_2_C: float | None = bits(
        47, 34, scale=0.1, signed=True, unit="°C", absent=TEMPERATURE_UNUSED, default=None
    )
    self_test_failed_2: bool = bits(33, default=False)
    stops_charging_2: bool = bits(32, default=False)
    temperature_3_C: float | None = bits(
        31, 18, scale=0.1, signed=True, unit="°C", absent=TEMPERATURE_UNUSED, default=None
    )
    self_test_failed_3: bool = bits(17, default=False)
    stops_charging_3: bool = bits(16, default=False)
    temperature_4_C: float | None = bits(
        15, 2, scale=0.1, signed=True, unit="°C", absent=TEMPERATURE_UNUSED, default=None
    )
    self_test_failed_4: bool = bits(1, default=False)
    stops_charging_4: bool = bits(0, default=False)

    @property
    def channels(self) -> tuple[tuple[float | None, bool, bool], ...]:
        """Per channel: temperature (None: unused), self-test failed, stops charging."""
        return (
            (self.temperature_1_C, self.self_test_failed_1, self.stops_charging_1),
            (self.temperature_2_C, self.self_test_failed_2, self.stops_charging_2),
            (self.temperature_3_C, self.self_test_failed_3, self.stops_charging_3),
            (self.temperature_4_C, self.self_test_failed_4, self.stops_charging_4),
        )


@frame(0x0A, MCU)
class FirmwareVersion(Message):
    """Answer to an inquiry: what runs on the safety controller."""

    major: int = bits(63, 56)
    minor: int = bits(55, 48)
    build: int = bits(47, 40)
    platform: Platform = bits(39, 32, default=Platform.UNKNOWN)
    application: Application = bits(31, 24, default=Application.FIRMWARE)
    parameter_version: int = bits(23, 8, default=0)

    @property
    def version(self) -> tuple[int, int, int]:
        """The three numbers, to compare."""
        return (self.major, self.minor, self.build)


@frame(0x0B, MCU)
class GitHash(Message):
    """Answer to an inquiry: the first eight bytes of the firmware's commit."""

    commit: bytes = octets(0, 8)

    @property
    def text(self) -> str:
        """Sixteen lower-case hexadecimal digits."""
        return self.commit.hex()


@frame(0x0E, MCU)
class ErrorMessage(Message):
    """Unsolicited: an internal error was raised or cleared. `mcu_errors.py` knows the words."""

    active: bool = bits(63, default=False)
    module: int = bits(62, 48, default=0)
    reason: int = bits(47, 32, default=0)
    data_1: int | None = bits(31, 16, absent=0xFFFF, default=None)
    data_2: int | None = bits(15, 0, absent=0xFFFF, default=None)


@frame(0x14, MCU)
class PartNumber1(Message):
    """Answer to an inquiry (firmware newer than 0.2.9): first half of the chip's part number."""

    text: bytes = octets(0, 8)


@frame(0x15, MCU)
class PartNumber2(Message):
    """Answer to an inquiry (firmware newer than 0.2.9): second half of the chip's part number."""

    text: bytes = octets(0, 8)


@frame(0x16, MCU)
class ChipInfo(Message):
    """Answer to an inquiry (firmware newer than 0.2.9)."""

    mcu_version: int = bits(63, 56)


@frame(0xFE, MCU)
class Action(Message):
    """Answer to an action request: the confirmed action, NONE when refused."""

    confirmed: ActionId = bits(63, 56, default=ActionId.NONE)


@frame(0xFF, HOST)
class Inquiry(Message):
    """Ask for a message once; with the id of Action, ask for an action."""

    wanted: int = bits(63, 56)
    action: ActionId = bits(55, 48, default=ActionId.NONE)
