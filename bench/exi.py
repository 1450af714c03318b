"""The EXI codec: the two messages of the charging loop, the first use in a fresh process, and a naive interpreter.

With EXI_C_LIBRARY=<shared library> a codec in C is measured beside ours. The library times its codec by itself:
`double decode_us(const char *payload, size_t size, int rounds)` and `encode_us` with the same arguments return the
microseconds of one round, or a negative number where the message is refused; `encode_us` writes what it has read.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
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
C_LIBRARY = "EXI_C_LIBRARY"
"""Name of the variable of the environment with the path of the generated C codec."""
C_BOUND = 8.0
"""Plain Python takes at most so many times as long as generated C."""


def _physical(value: int, unit: iso2.unitSymbolType, multiplier: int = -1) -> iso2.PhysicalValueType:
    return iso2.PhysicalValueType(Multiplier=multiplier, Unit=unit, Value=value)


def _message(body: Any) -> iso2.V2G_Message:
    return iso2.V2G_Message(Header=iso2.MessageHeaderType(SessionID=bytes.fromhex("1b4f0e9a8d7c6b5a")), Body=body)


def _request(whole: bool = True) -> iso2.V2G_Message:
    """Return a CurrentDemandReq with every optional field, or with none."""
    volt, ampere, second = iso2.unitSymbolType.V, iso2.unitSymbolType.A, iso2.unitSymbolType.s
    status = iso2.DC_EVStatusType(EVReady=True, EVErrorCode=iso2.DC_EVErrorCodeType.NO_ERROR, EVRESSSOC=47)
    current, voltage = _physical(1250, ampere), _physical(3987, volt)
    if not whole:
        return _message(
            iso2.CurrentDemandReq(
                DC_EVStatus=status, EVTargetCurrent=current, ChargingComplete=False, EVTargetVoltage=voltage
            )
        )
    return _message(
        iso2.CurrentDemandReq(
            DC_EVStatus=status,
            EVTargetCurrent=current,
            EVMaximumVoltageLimit=_physical(4200, volt),
            EVMaximumCurrentLimit=_physical(3000, ampere),
            EVMaximumPowerLimit=_physical(15000, iso2.unitSymbolType.W, 1),
            BulkChargingComplete=False,
            ChargingComplete=False,
            RemainingTimeToFullSoC=_physical(3200, second, 0),
            RemainingTimeToBulkSoC=_physical(1800, second, 0),
            EVTargetVoltage=voltage,
        )
    )


def _response(whole: bool = True) -> iso2.V2G_Message:
    """Return a CurrentDemandRes with limits and meter, or without."""
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
            EVSEMaximumVoltageLimit=_physical(9200, volt) if whole else None,
            EVSEMaximumCurrentLimit=_physical(3000, ampere) if whole else None,
            EVSEMaximumPowerLimit=_physical(15000, iso2.unitSymbolType.W, 1) if whole else None,
            EVSEID="DE*PNX*E12345*1",
            SAScheduleTupleID=1,
            MeterInfo=iso2.MeterInfoType(MeterID="meter-1", MeterReading=12_345_678) if whole else None,
        )
    )


def fresh_ms(script: str, *arguments: str) -> float:
    """Return the shortest time that a script measures in fresh processes with byte code, as an installed package."""
    times = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": folder, "PYTHONDONTWRITEBYTECODE": ""}
        for _ in range(STARTS):
            command = [sys.executable, "-c", script, *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
            times.append(1000 * float(done.stdout))
    return min(times)


def _us(call: Callable[[], object], rounds: int) -> float:
    """Return what one of `rounds` calls takes, in microseconds."""
    began = time.perf_counter()
    for _ in range(rounds):
        call()
    return (time.perf_counter() - began) * 1e6 / rounds


def _beside_c(path: str) -> list[Row]:
    """Measure the C codec and ours by turns, so that both have the same processor; of each the shortest time counts."""
    library = ctypes.CDLL(path)
    chosen = codec("iso2")
    found = []
    for whole in (True, False):
        request, response = _request(whole), _response(whole)
        payload, answer = chosen.encode(request), chosen.encode(response)
        for what, in_c, octets, ours in (
            ("decode CurrentDemandReq", library.decode_us, payload, partial(chosen.decode, payload)),
            ("encode CurrentDemandRes", library.encode_us, answer, partial(chosen.encode, response)),
        ):
            in_c.restype = ctypes.c_double
            in_c.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_int]
            c_us = ours_us = float("inf")
            for _ in range(200):
                c_us, ours_us = min(c_us, in_c(octets, len(octets), 500)), min(ours_us, _us(ours, 100))
            if c_us < 0:
                raise RuntimeError(f"{path} refuses the message: {what}")
            name = f"EXI: {what}{'' if whole else ' without optional fields'}, beside generated C"
            found.append(at_most(name, ours_us / c_us, "times", C_BOUND, f"{ours_us:.3g} us, C {c_us:.3g} us"))
    return found


def rows() -> list[Row]:
    """Measure."""
    chosen = codec("iso2")
    request, response = _request(), _response()
    payload = chosen.encode(request)
    decode_us, encode_us = median_us(lambda: chosen.decode(payload)), median_us(lambda: chosen.encode(response))
    naive_us = median_us(lambda: naive.encode(iso2.SCHEMA, response), rounds=200, warm_up=20)
    library = os.environ.get(C_LIBRARY)
    return [
        at_most("EXI: decode CurrentDemandReq", decode_us, "us", 50, "EXIficient: 100 ms"),
        at_most(
            "EXI: encode CurrentDemandRes",
            encode_us,
            "us",
            50,
            times_less(encode_us, naive_us, "a grammar interpreter in Python", "us"),
        ),
        at_most("EXI: import and compile all of ISO 15118-2", fresh_ms(COMPILE_ALL), "ms", 150),
        at_most(
            "EXI: import until the first message went both ways", fresh_ms(FIRST_MESSAGE, payload.hex()), "ms", 150
        ),
        *(_beside_c(library) if library else []),
    ]
