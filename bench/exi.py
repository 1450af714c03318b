"""The EXI codec: the two messages of the charging loop, the first use in a fresh process, and a naive interpreter."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import Any

from bench.rows import Row, at_most, median_us, times_less
from chargebyte_fw.modules.v2g.exi import codec
from chargebyte_fw.modules.v2g.messages import iso2
from tests.v2g.exi import naive

COMPILE_ALL = """
import time
began = time.perf_counter()
from chargebyte_fw.modules.v2g.exi import codec
codec("iso2").prepare()
print(time.perf_counter() - began)
"""
FIRST_MESSAGE = """
import sys, time
began = time.perf_counter()
from chargebyte_fw.modules.v2g.exi import codec
codec("iso2").encode(codec("iso2").decode(bytes.fromhex(sys.argv[1])))
print(time.perf_counter() - began)
"""
STARTS = 7


def _physical(value: int, unit: iso2.unitSymbolType, multiplier: int = -1) -> iso2.PhysicalValueType:
    return iso2.PhysicalValueType(Multiplier=multiplier, Unit=unit, Value=value)


def _message(body: Any) -> iso2.V2G_Message:
    return iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes.fromhex("1b4f0e9a8d7c6b5a")), Body=body)


def _request() -> iso2.V2G_Message:
    """Return a CurrentDemandReq with every optional field."""
    volt, ampere, second = iso2.unitSymbolType.V, iso2.unitSymbolType.A, iso2.unitSymbolType.s
    return _message(
        iso2.CurrentDemandReq(
            DC_EVStatus=iso2.DC_EVStatusType(EVReady=True, EVErrorCode=iso2.DC_EVErrorCodeType.NO_ERROR, EVRESSSOC=47),
            EVTargetCurrent=_physical(1250, ampere),
            EVMaximumVoltageLimit=_physical(4200, volt),
            EVMaximumCurrentLimit=_physical(3000, ampere),
            EVMaximumPowerLimit=_physical(15000, iso2.unitSymbolType.W, 1),
            BulkChargingComplete=False,
            ChargingComplete=False,
            RemainingTimeToFullSoC=_physical(3200, second, 0),
            RemainingTimeToBulkSoC=_physical(1800, second, 0),
            EVTargetVoltage=_physical(3987, volt),
        )
    )


def _response() -> iso2.V2G_Message:
    """Return a CurrentDemandRes with limits and meter."""
    volt, ampere = iso2.unitSymbolType.V, iso2.unitSymbolType.A
    return _message(
        iso2.CurrentDemandRes(
            ResponseCode=iso2.responseCodeType.OK,
            DC_EVSEStatus=iso2.DC_EVSEStatusType(
                NotificationMaxDelay=0,
                EVSENotification=iso2.EVSENotificationType.None_,
                EVSEIsolationStatus=iso2.isolationLevelType.Valid,
                EVSEStatusCode=iso2.DC_EVSEStatusCodeType.EVSE_Ready,
            ),
            EVSEPresentVoltage=_physical(3985, volt),
            EVSEPresentCurrent=_physical(1249, ampere),
            EVSECurrentLimitAchieved=False,
            EVSEVoltageLimitAchieved=False,
            EVSEPowerLimitAchieved=False,
            EVSEMaximumVoltageLimit=_physical(9200, volt),
            EVSEMaximumCurrentLimit=_physical(3000, ampere),
            EVSEMaximumPowerLimit=_physical(15000, iso2.unitSymbolType.W, 1),
            EVSEID="DE*PNX*E12345*1",
            SAScheduleTupleID=1,
            MeterInfo=iso2.MeterInfoType(MeterID="meter-1", MeterReading=12_345_678),
        )
    )


def _fresh_ms(script: str, *arguments: str) -> float:
    """Return the shortest time that a script measures in fresh processes with byte code, as an installed package."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(STARTS):
            command = [sys.executable, "-c", script, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            times.append(1000 * float(done.stdout))
    return min(times)


def rows() -> list[Row]:
    """Measure."""
    chosen = codec("iso2")
    request, response = _request(), _response()
    payload = chosen.encode(request)
    decode_us, encode_us = median_us(lambda: chosen.decode(payload)), median_us(lambda: chosen.encode(response))
    naive_us = median_us(lambda: naive.encode(iso2.SCHEMA, response), rounds=200, warm_up=20)
    return [
        at_most("EXI: decode CurrentDemandReq", decode_us, "us", 50, "generated C: 5 to 7 us; EXIficient: 100 ms"),
        at_most(
            "EXI: encode CurrentDemandRes",
            encode_us,
            "us",
            50,
            times_less(encode_us, naive_us, "a grammar interpreter in Python", "us"),
        ),
        at_most("EXI: import and compile all of ISO 15118-2", _fresh_ms(COMPILE_ALL), "ms", 150),
        at_most(
            "EXI: import until the first message went both ways", _fresh_ms(FIRST_MESSAGE, payload.hex()), "ms", 150
        ),
    ]
