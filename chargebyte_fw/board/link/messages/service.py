"""Messages of end-of-line and qualification firmware and of diagnostics: for a service tool, never sent while charging.

Analogue words are raw readings of the converter, 16 bits each.
"""

from __future__ import annotations

from chargebyte_fw.board.link.messages.declaration import Message, Sender, bits, frame, pin

HOST, MCU = Sender.HOST, Sender.MCU


@frame(0x00, HOST)
class DigitalOutput(Message):
    """Pins that the host may drive."""

    cp_invert: bool = pin(3)
    motor_out2: bool = pin(5)
    motor_out1: bool = pin(6)
    hvsw3_precharge: bool = pin(9)
    pt1000_ctrlen4: bool = pin(10)
    imd_od_en: bool = pin(11)
    gpio_exp: bool = pin(12)
    hvsw2_hs: bool = pin(13)
    hvsw1_hs: bool = pin(14)
    pp_sae_iec: bool = pin(15)
    cp_state_c: bool = pin(18)
    ctrlen3: bool = pin(19)
    ctrlen2: bool = pin(20)
    ctrlen1: bool = pin(21)
    ce_s3: bool = pin(23)
    cp_duty_cycle: int = bits(39, 32, default=0)


@frame(0x01, MCU)
class DigitalInput(Message):
    """Pins as the safety controller reads them."""

    dev_1: bool = pin(0)
    dev_2: bool = pin(1)
    ev_cp_edge: bool = pin(2)
    cp_invert: bool = pin(3)
    motor_fault: bool = pin(4)
    motor_out2: bool = pin(5)
    motor_out1: bool = pin(6)
    k1_in: bool = pin(7)
    k2_in: bool = pin(8)
    hvsw3: bool = pin(9)
    pt4_en: bool = pin(10)
    imd_od_en: bool = pin(11)
    gpio_exp: bool = pin(12)
    hvsw2: bool = pin(13)
    hvsw1: bool = pin(14)
    pp_sae_iec: bool = pin(15)
    estop3: bool = pin(16)
    estop2: bool = pin(17)
    estop1: bool = pin(18)
    cp_state_c: bool = pin(19)
    pt3_en: bool = pin(20)
    pt2_en: bool = pin(21)
    pt1_en: bool = pin(22)
    ce_s3: bool = pin(23)


@frame(0x02, MCU)
class AnalogInput01(Message):
    """PT1000 leads."""

    pt1000_lead1_1: int = bits(63, 48)
    pt1000_lead1_2: int = bits(47, 32)
    pt1000_lead1_3: int = bits(31, 16)
    pt1000_lead1_4: int = bits(15, 0)


@frame(0x03, MCU)
class AnalogInput02(Message):
    """Pilots and supply."""

    cp_neg: int = bits(63, 48)
    cp_pos: int = bits(47, 32)
    pp: int = bits(31, 16)
    u_in: int = bits(15, 0)


@frame(0x04, MCU)
class AnalogInput03(Message):
    """Current feedback of the high-side switches."""

    precharge_cfb: int = bits(63, 48)
    hs1_cfb: int = bits(47, 32)
    hs2_cfb: int = bits(31, 16)
    pt1000_cfb1_2: int = bits(15, 0)


@frame(0x05, MCU)
class AnalogInput04(Message):
    """Current feedback of PT1000 channels 3 and 4."""

    pt1000_cfb3_4: int = bits(63, 48)


@frame(0x13, MCU)
class AnalogInput05(Message):
    """MCS lines."""

    id: int = bits(63, 48)
    ce: int = bits(47, 32)
    hv_ready: int = bits(31, 16)


@frame(0x09, MCU)
class DiagnosticMeasurements(Message):
    """Pilot voltages as raw readings."""

    cp_negative: int = bits(63, 48, signed=True)
    cp_positive: int = bits(47, 32, signed=True)
    pp: int = bits(31, 16, signed=True)


@frame(0x12, MCU)
class DiagnosticMeasurements2(Message):
    """MCS lines as raw readings."""

    ce_adc: int = bits(63, 48, signed=True)
    id_adc: int = bits(47, 32, signed=True)
