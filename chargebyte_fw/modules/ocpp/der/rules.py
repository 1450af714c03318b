"""Which DER controls are taken (R04). Pure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import msgspec.structs

from chargebyte_fw.modules.ocpp.der.controls import FIELDS, Control
from chargebyte_fw.modules.ocpp.messages.v2.der_control import DERUnitEnumType, SetDERControlRequest
from chargebyte_fw.modules.ocpp.messages.v2.types.der import DERControlEnumType

K, U = DERControlEnumType, DERUnitEnumType
LONGEST_AHEAD = timedelta(days=366)
MAX_POINTS = 256
DEFAULT_ONLY = (K.EnterService, K.Gradients)
_FIELD = {
    K.EnterService: "enter_service",
    K.FreqDroop: "freq_droop",
    K.FixedPFAbsorb: "fixed_pf_absorb",
    K.FixedPFInject: "fixed_pf_inject",
    K.FixedVar: "fixed_var",
    K.Gradients: "gradient",
    K.LimitMaxDischarge: "limit_max_discharge",
}
"""The member of each type; every other type has a curve."""
_POWER, _REACTIVE = (U.PctMaxW, U.PctWAvail), (U.PctMaxVar, U.PctVarAvail)
_UNITS = {
    K.FreqWatt: _POWER,
    K.VoltWatt: _POWER,
    K.VoltVar: _REACTIVE,
    K.WattVar: _REACTIVE,
    K.WattPF: (U.Not_Applicable,),
}
"""Units of the values of a curve; those of curves that trip have none."""


def refused(request: SetDERControlRequest, utc: datetime) -> str:
    """Return why a control is not taken, empty where it is."""
    given = [name for name in FIELDS if getattr(request, name) is not None]
    wanted = _FIELD.get(request.control_type, "curve")
    if given != [wanted]:
        return f"{request.control_type.value} needs {wanted} and nothing else, not {', '.join(given) or 'nothing'}"
    control = Control(request=request, received_at=utc)
    scheduled = control.starts_at is not None or getattr(control.content, "duration_s", None) is not None
    if request.is_default and scheduled:
        return "a default control has neither startTime nor duration"
    if request.control_type in DEFAULT_ONLY and not request.is_default:
        return f"{request.control_type.value} is a default control only"
    if control.starts_at is not None and control.starts_at > utc + LONGEST_AHEAD:
        return "startTime is more than a year ahead"
    if not all(math.isfinite(number) for number in _numbers(control.content)):
        return "a number is not finite"
    if request.curve is not None:
        units = _UNITS.get(request.control_type, (U.Not_Applicable,))
        if request.curve.y_unit not in units:
            return f"yUnit is {request.curve.y_unit.value}, not {' or '.join(unit.value for unit in units)}"
        if len(request.curve.curve_data) > MAX_POINTS:
            return f"a curve has at most {MAX_POINTS} points"
    return ""


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, msgspec.Struct):
        for member in msgspec.structs.astuple(value):
            yield from _numbers(member)
    elif isinstance(value, list):
        for member in value:
            yield from _numbers(member)
