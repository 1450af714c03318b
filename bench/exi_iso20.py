"""The EXI codec of ISO 15118-20: the DC charge loop both ways, bidirectional, and the start of a session."""

from __future__ import annotations

from functools import partial
from typing import Any

from bench.exi import fresh_ms
from bench.rows import Row, at_most, median_us
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso20_dc, iso20_types
from chargebyte_fw.modules.v2g.messages.iso20_types import RationalNumberType

BOUND_US = 60
COMPILE_ALL = """
import time
began = time.perf_counter()
from chargebyte_fw.modules.v2g.exi import codec
for name in ("iso20_common", "iso20_dc"):
    codec(name).prepare()
print(time.perf_counter() - began)
"""
FIRST_MESSAGE = """
import sys, time
began = time.perf_counter()
from chargebyte_fw.modules.v2g.exi import codec
codec("iso20_dc").encode(codec("iso20_dc").decode(bytes.fromhex(sys.argv[1])))
print(time.perf_counter() - began)
"""


def _rational(value: int, exponent: int = 0) -> RationalNumberType:
    return RationalNumberType(Exponent=exponent, Value=value)


def _header() -> iso20_types.MessageHeaderType:
    return iso20_types.MessageHeaderType(SessionID=bytes.fromhex("5ac3e1f00d9b7246"), TimeStamp=1_767_225_600)


def request() -> iso20_dc.DC_ChargeLoopReq:
    """Return a request with every optional field, in the largest mode."""
    mode = iso20_dc.BPT_Dynamic_DC_CLReqControlModeType(
        DepartureTime=7200,
        EVTargetEnergyRequest=_rational(400, 2),
        EVMaximumEnergyRequest=_rational(600, 2),
        EVMinimumEnergyRequest=_rational(-200, 2),
        EVMaximumChargePower=_rational(150, 3),
        EVMinimumChargePower=_rational(0),
        EVMaximumChargeCurrent=_rational(3750, -1),
        EVMaximumVoltage=_rational(9200, -1),
        EVMinimumVoltage=_rational(200),
        EVMaximumDischargePower=_rational(150, 3),
        EVMinimumDischargePower=_rational(0),
        EVMaximumDischargeCurrent=_rational(3750, -1),
        EVMaximumV2XEnergyRequest=_rational(300, 2),
        EVMinimumV2XEnergyRequest=_rational(-100, 2),
    )
    shown = iso20_types.DisplayParametersType(
        PresentSOC=47,
        MinimumSOC=20,
        TargetSOC=80,
        MaximumSOC=95,
        RemainingTimeToMinimumSOC=0,
        RemainingTimeToTargetSOC=1800,
        RemainingTimeToMaximumSOC=3200,
        ChargingComplete=False,
        BatteryEnergyCapacity=_rational(770, 2),
        InletHot=False,
    )
    return iso20_dc.DC_ChargeLoopReq(
        Header=_header(),
        DisplayParameters=shown,
        MeterInfoRequested=True,
        EVPresentVoltage=_rational(3987, -1),
        CLReqControlMode=mode,
    )


def response() -> iso20_dc.DC_ChargeLoopRes:
    """Return the response to it, with status and meter."""
    mode = iso20_dc.BPT_Dynamic_DC_CLResControlModeType(
        DepartureTime=7200,
        MinimumSOC=20,
        TargetSOC=80,
        AckMaxDelay=30,
        EVSEMaximumChargePower=_rational(150, 3),
        EVSEMinimumChargePower=_rational(0),
        EVSEMaximumChargeCurrent=_rational(3750, -1),
        EVSEMaximumVoltage=_rational(9200, -1),
        EVSEMaximumDischargePower=_rational(150, 3),
        EVSEMinimumDischargePower=_rational(0),
        EVSEMaximumDischargeCurrent=_rational(3750, -1),
        EVSEMinimumVoltage=_rational(150),
    )
    return iso20_dc.DC_ChargeLoopRes(
        Header=_header(),
        ResponseCode=iso20_types.responseCodeType.OK,
        EVSEStatus=iso20_types.EVSEStatusType(
            NotificationMaxDelay=60, EVSENotification=iso20_types.evseNotificationType.MeteringConfirmation
        ),
        MeterInfo=iso20_types.MeterInfoType(
            MeterID="meter-1", ChargedEnergyReadingWh=12_345_678, BPT_DischargedEnergyReadingWh=1_234_567
        ),
        EVSEPresentCurrent=_rational(-1249, -1),
        EVSEPresentVoltage=_rational(3985, -1),
        EVSEPowerLimitAchieved=False,
        EVSECurrentLimitAchieved=False,
        EVSEVoltageLimitAchieved=False,
        CLResControlMode=mode,
    )


def rows() -> list[Row]:
    """Measure."""
    chosen = codec("iso20_dc")
    messages: list[Any] = [request(), response()]
    found: list[Row] = []
    for message in messages:
        name, payload = type(message).__name__, chosen.encode(message)
        for what, call in (
            ("decode", partial(chosen.decode, payload)),
            ("encode", partial(chosen.encode, message)),
        ):
            found.append(at_most(f"EXI: {what} {name}, bidirectional", median_us(call), "us", BOUND_US))
    payload = chosen.encode(messages[0])
    return [
        *found,
        at_most("EXI: import and compile all of ISO 15118-20 DC", fresh_ms(COMPILE_ALL), "ms", 300),
        at_most(
            "EXI: import until the first message of ISO 15118-20 DC", fresh_ms(FIRST_MESSAGE, payload.hex()), "ms", 150
        ),
    ]
