"""Every declared message as the protocol's text lays it out: bits, scale, unit and named values, as literals.

Bit 63 is the top bit of the first byte. A field is written `name high low`, or `name bit`; `*0.1` is its scale,
`signed` two's complement, `=NAME` its enumeration, `-FFFF` the raw value that means "no value", `octets` bytes kept as
they are.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, NamedTuple, get_type_hints

import pytest

from chargebyte_fw.board.link.messages import charge_som as messages
from chargebyte_fw.board.link.messages import generations
from chargebyte_fw.board.link.messages import mcs as messages_mcs
from chargebyte_fw.board.link.messages.declaration import Message, declared

LAYOUTS: dict[str, tuple[int, str]] = {
    "ChargeControl": (
        0x06,
        "pwm_active 63; duty_percent 57 48 *0.1 %; contactor_3_close 42; contactor_2_close 41; contactor_1_close 40",
    ),
    "ChargeState": (
        0x07,
        "pwm_active 63; safe_state_active 59 58 =SafeStateActive; duty_percent 57 48 *0.1 %; "
        "inlet 47 45 =InletState; diode_fault 44; cp_short_circuit 43; cp_state 42 40 =CpState; "
        "pp_state 34 32 =PpState; hv_ready 30; contactor_3 29 28 =ContactorState; contactor_2 27 26 =ContactorState; "
        "contactor_1 25 24 =ContactorState; rcm 23 22 =RcmState; estop_3 21 20 =EstopState; "
        "estop_2 19 18 =EstopState; estop_1 17 16 =EstopState; safe_state_reason 15 8 =SafeStateReason",
    ),
    "ChargeStateUpTo025": (
        0x07,
        "pwm_active 63; safe_state_active 59 58 =SafeStateActive; duty_percent 57 48 *0.1 %; "
        "diode_fault 44; cp_short_circuit 43; cp_state 42 40 =CpState; pp_state 34 32 =PpState; hv_ready 30; "
        "contactor_2_error 29; contactor_2 28 27 =OldContactorState; "
        "contactor_1_error 26; contactor_1 25 24 =OldContactorState; estop_3 21 20 =EstopState; "
        "estop_2 19 18 =EstopState; estop_1 17 16 =EstopState; safe_state_reason 15 8 =SafeStateReason",
    ),
    "Pt1000State": (
        0x08,
        "temperature_1_C 63 50 *0.1 signed °C -1FFF; self_test_failed_1 49; stops_charging_1 48; "
        "temperature_2_C 47 34 *0.1 signed °C -1FFF; self_test_failed_2 33; stops_charging_2 32; "
        "temperature_3_C 31 18 *0.1 signed °C -1FFF; self_test_failed_3 17; stops_charging_3 16; "
        "temperature_4_C 15 2 *0.1 signed °C -1FFF; self_test_failed_4 1; stops_charging_4 0",
    ),
    "FirmwareVersion": (
        0x0A,
        "major 63 56; minor 55 48; build 47 40; platform 39 32 =Platform; application 31 24 =Application; "
        "parameter_version 23 8",
    ),
    "GitHash": (0x0B, "commit 63 0 octets"),
    "ErrorMessage": (0x0E, "active 63; module 62 48; reason 47 32; data_1 31 16 -FFFF; data_2 15 0 -FFFF"),
    "PartNumber1": (0x14, "text 63 0 octets"),
    "PartNumber2": (0x15, "text 63 0 octets"),
    "ChipInfo": (0x16, "mcu_version 63 56"),
    "Action": (0xFE, "confirmed 63 56 =ActionId"),
    "Inquiry": (0xFF, "wanted 63 56; action 55 48 =ActionId"),
    "ChargeControl2": (0x11, "ccs_ready 63 60 =CcsReady; controller_reset 59 58 =ControllerReset"),
    "ChargeState2": (
        0x10,
        "ce_state 63 60 =CeState; id_state 59 56 =IdState; safe_state_reason 55 48 =McsSafeStateReason; "
        "safe_state_active 47 46 =SafeStateActive",
    ),
    # Digital images count byte * 8 + bit with bit 0 lowest: 0..7 are bits 56..63 here, 8..15 are 48..55, 16..23 40..47.
    "DigitalOutput": (
        0x00,
        "cp_invert 59; motor_out2 61; motor_out1 62; hvsw3_precharge 49; pt1000_ctrlen4 50; imd_od_en 51; "
        "gpio_exp 52; hvsw2_hs 53; hvsw1_hs 54; pp_sae_iec 55; cp_state_c 42; ctrlen3 43; ctrlen2 44; ctrlen1 45; "
        "ce_s3 47; cp_duty_cycle 39 32",
    ),
    "DigitalInput": (
        0x01,
        "dev_1 56; dev_2 57; ev_cp_edge 58; cp_invert 59; motor_fault 60; motor_out2 61; motor_out1 62; k1_in 63; "
        "k2_in 48; hvsw3 49; pt4_en 50; imd_od_en 51; gpio_exp 52; hvsw2 53; hvsw1 54; pp_sae_iec 55; "
        "estop3 40; estop2 41; estop1 42; cp_state_c 43; pt3_en 44; pt2_en 45; pt1_en 46; ce_s3 47",
    ),
    "AnalogInput01": (
        0x02,
        "pt1000_lead1_1 63 48; pt1000_lead1_2 47 32; pt1000_lead1_3 31 16; pt1000_lead1_4 15 0",
    ),
    "AnalogInput02": (0x03, "cp_neg 63 48; cp_pos 47 32; pp 31 16; u_in 15 0"),
    "AnalogInput03": (0x04, "precharge_cfb 63 48; hs1_cfb 47 32; hs2_cfb 31 16; pt1000_cfb1_2 15 0"),
    "AnalogInput04": (0x05, "pt1000_cfb3_4 63 48"),
    "AnalogInput05": (0x13, "id 63 48; ce 47 32; hv_ready 31 16"),
    "DiagnosticMeasurements": (0x09, "cp_negative 63 48 signed; cp_positive 47 32 signed; pp 31 16 signed"),
    "DiagnosticMeasurements2": (0x12, "ce_adc 63 48 signed; id_adc 47 32 signed"),
}

_TEMPERATURES = (
    "TEMPERATURE_1_MALFUNCTION=3 TEMPERATURE_2_MALFUNCTION=4 TEMPERATURE_3_MALFUNCTION=5 TEMPERATURE_4_MALFUNCTION=6 "
    "TEMPERATURE_1_OVER_TEMPERATURE=7 TEMPERATURE_2_OVER_TEMPERATURE=8 TEMPERATURE_3_OVER_TEMPERATURE=9 "
    "TEMPERATURE_4_OVER_TEMPERATURE=10"
)
ENUMERATIONS: dict[str, str] = {
    "SafeStateActive": "NORMAL=0 SAFE_STATE=1 UNDEFINED=2 NOT_AVAILABLE=3",
    "InletState": "UNDEFINED=0 OPEN=1 OPENING=2 CLOSED=3 CLOSING=4 ERROR=5 NOT_CONFIGURED=7",
    "CpState": "UNKNOWN=0 A=1 B=2 C=3 D=4 E=5 F=6 INVALID=7",
    "PpState": ("NO_CABLE=0 A_13=1 A_20=2 A_32=3 A_63_3PH_70_1PH=4 TYPE1_CONNECTED=5 TYPE1_BUTTON_PRESSED=6 INVALID=7"),
    "ContactorState": "UNDEFINED=0 OPEN=1 CLOSED=2 UNUSED=3",
    "OldContactorState": "OPEN=0 CLOSED=1 NOT_CONFIGURED=3",
    "RcmState": "NOT_CONFIGURED=0 MONITORING=1 SELF_TEST_RUNNING=2 ERROR=3",
    "EstopState": "NOT_TRIPPED=0 TRIPPED=1 RESERVED=2 UNUSED=3",
    "SafeStateReason": (
        f"NO_SAFE_STATE=0 INTERNAL_ERROR=1 COMMUNICATION_TIMEOUT=2 {_TEMPERATURES} PROXIMITY_PILOT_ERROR=11 "
        "CONTROL_PILOT_ERROR=12 CONTROL_PILOT_SHORT_CIRCUIT=13 CONTROL_PILOT_DIODE_NOT_DETECTED=14 "
        "HIGH_VOLTAGE_SWITCH_MALFUNCTION=15 EMERGENCY_INPUT_1=16 EMERGENCY_INPUT_2=17 EMERGENCY_INPUT_3=18 "
        "UNDEFINED=19 RCM_TRIPPED=20 RCM_SELF_TEST_FAILED=21"
    ),
    "Platform": "UNKNOWN=0 CHARGE_SOM=129 CHARGE_CONTROL_Y=130 UNSPECIFIED=255",
    "Application": "FIRMWARE=3 END_OF_LINE=4 QUALIFICATION=5",
    "ActionId": "NONE=0 RCM_SELF_TEST=1 INLET_CLOSE=2 INLET_OPEN=3",
    "CcsReady": "NOT_READY=0 READY=1 EMERGENCY_STOP=2",
    "ControllerReset": "NONE=0 RESET=1",
    "CeState": "UNKNOWN=0 A=1 B0=2 B=3 C=4 E=5 EC=6 INVALID=7 INVALID_OLD=15",
    "IdState": "UNKNOWN=0 NOT_CONNECTED=1 CONNECTED=2 INVALID=3 INVALID_OLD=15",
    "McsSafeStateReason": (
        f"NO_SAFE_STATE=0 INTERNAL_ERROR=1 COMMUNICATION_TIMEOUT=2 {_TEMPERATURES} "
        "ID_ERROR=11 CE_ERROR=12 HV_READY_MALFUNCTION=13 EMERGENCY_INPUT=14"
    ),
}

AS_MADE = {
    "ChargeStateUpTo025": "00 00 00 00 1B 00 00 00",  # both contactors not configured
    "Pt1000State": "7F FC 7F FC 7F FC 7F FC",  # four unused channels
    "FirmwareVersion": "00 00 00 00 03 00 00 00",  # firmware, neither end-of-line nor qualification
    "ErrorMessage": "00 00 00 00 FF FF FF FF",  # no additional data
}
"""What a message carries when nothing is set; every other one is eight zero bytes."""

REASONS = [
    "no safe state",
    "internal error",
    "communication timeout",
    "temperature 1 malfunction",
    "temperature 2 malfunction",
    "temperature 3 malfunction",
    "temperature 4 malfunction",
    "temperature 1 over-temperature",
    "temperature 2 over-temperature",
    "temperature 3 over-temperature",
    "temperature 4 over-temperature",
    "Proximity Pilot error",
    "Control Pilot error",
    "Control Pilot short-circuit",
    "Control Pilot diode not detected",
    "high-voltage switch malfunction",
    "emergency input 1",
    "emergency input 2",
    "emergency input 3",
    "undefined",
    "RCM tripped",
    "RCM self-test failed",
]


class Field(NamedTuple):
    """One field as it is written above."""

    name: str
    high: int
    low: int
    scale: float
    signed: bool
    unit: str
    absent: int | None
    kind: str
    octets: bool

    @property
    def width(self) -> int:
        return self.high - self.low + 1

    def value(self, raw: int, kinds: dict[str, type[Enum]], hint: Any) -> Any:
        """Return what the raw number means."""
        if self.octets:
            return raw.to_bytes(self.width // 8, "big")
        if self.kind:
            return kinds[self.kind](raw)
        if raw == self.absent:
            return None
        if hint is bool:
            return bool(raw)
        if self.signed and raw >= 1 << (self.width - 1):
            raw -= 1 << self.width
        return pytest.approx(raw * self.scale, abs=1e-6)


def field(text: str) -> Field:
    name, *words = text.split()
    bit = [int(word) for word in words if word.isdigit()]
    kind = scale = absent = unit = ""
    for word in words:
        if word.startswith("="):
            kind = word[1:]
        elif word.startswith("*"):
            scale = word[1:]
        elif word.startswith("-"):
            absent = word[1:]
        elif word in ("%", "°C"):
            unit = word
    return Field(
        name, bit[0], bit[-1], float(scale or 1), "signed" in words, unit, int(absent, 16) if absent else None, kind,
        "octets" in words,
    )  # fmt: skip


def fields(kind: type[Message]) -> list[Field]:
    return [field(text) for text in LAYOUTS[kind.__name__][1].split(";")]


def enumerations() -> dict[str, type[Enum]]:
    sources = (messages, messages_mcs, generations)
    return {name: next(getattr(source, name) for source in sources if hasattr(source, name)) for name in ENUMERATIONS}


EVERY: list[type[Message]] = [*declared(), generations.ChargeStateUpTo025]
every = pytest.mark.parametrize("kind", EVERY, ids=lambda kind: kind.__name__)


def test_the_table_has_every_declared_message_with_its_com_id() -> None:
    assert {kind.__name__: kind.com_id for kind in EVERY} == {name: com_id for name, (com_id, _) in LAYOUTS.items()}


@every
def test_a_message_has_these_fields_in_these_bits(kind: type[Message]) -> None:
    """Each bit of a field alone, and all of them: the field reads its number, every other field stays at zero."""
    kinds, hints = enumerations(), get_type_hints(kind)
    zero = kind.from_payload(bytes(8))
    assert list(kind.places) == [one.name for one in fields(kind)]
    for one in fields(kind):
        for raw in (0, *(1 << bit for bit in range(one.width)), (1 << one.width) - 1):
            payload = (raw << one.low).to_bytes(8, "big")
            read = kind.from_payload(payload)
            expected = one.value(raw, kinds, hints[one.name])
            assert getattr(read, one.name) == expected, (one.name, hex(raw))
            assert read == zero.changed(**{one.name: getattr(read, one.name)}), (one.name, hex(raw))
            if (kind.com_id, one.name) == (0x06, "duty_percent") and raw > 1000:
                payload = bytes.fromhex("03E8000000000000")  # more than 100 % is sent as 100 %
            assert read.payload() == payload, (one.name, hex(raw))


@every
def test_a_field_has_its_width_its_scale_its_unit_and_its_enumeration(kind: type[Message]) -> None:
    kinds, hints = enumerations(), get_type_hints(kind)
    for one in fields(kind):
        place = kind.places[one.name]
        assert (place.scale, place.unit, place.signed) == (one.scale, one.unit, one.signed), one.name
        assert (place.high, place.low) == (one.high, one.low), one.name
        assert place.absent == one.absent, one.name
        assert place.maximum == (1000 if (kind.com_id, one.name) == (0x06, "duty_percent") else None), one.name
        if isinstance(hints[one.name], type) and issubclass(hints[one.name], Enum):
            assert hints[one.name] is kinds[one.kind], one.name
        assert (hints[one.name] is bool) <= (one.width == 1), one.name


@every
def test_a_message_in_which_nothing_is_set_asks_for_nothing(kind: type[Message]) -> None:
    assert kind().payload() == bytes.fromhex(AS_MADE.get(kind.__name__, "00" * 8))


@pytest.mark.parametrize("name", ENUMERATIONS)
def test_the_values_of_an_enumeration_are_these(name: str) -> None:
    made = enumerations()[name]
    assert {one.name: one.value for one in made} == {
        word.split("=")[0]: int(word.split("=")[1]) for word in ENUMERATIONS[name].split()
    }


def test_reasons_boards_and_kinds_of_firmware_have_these_words() -> None:
    assert [messages.SafeStateReason(number).text for number in range(22)] == REASONS
    boards = {0x00: "unknown", 0x81: "Charge SOM", 0x82: "Charge Control Y", 0xFF: "unspecified"}
    assert {number: messages.Platform(number).text for number in boards} == boards
    kinds = {3: "firmware", 4: "end-of-line", 5: "qualification", 6: "application 6"}
    assert {number: messages.Application(number).text for number in kinds} == kinds


def test_a_full_temperature_message_reads_its_four_channels_in_order() -> None:
    """25.0 °C; -10.5 °C with a failed self-test; unused; 90.1 °C that stops charging."""
    state = messages.Pt1000State.from_payload(bytes.fromhex("03E8 FE5E 7FFC 0E15"))
    assert state.channels == (
        (25.0, False, False),
        (-10.5, True, False),
        (None, False, False),
        (90.1, False, True),
    )
