"""One line for each frame between a station and the small CSMS, without tokens and keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chargebyte_fw.kernel.decoding import shorten
from chargebyte_fw.modules.ocpp.version import Version

SHOWN = (
    *("eventType", "seqNo", "triggerReason", "chargingState", "stoppedReason", "reason", "connectorStatus", "status"),
    *("connectorId", "transactionId", "errorCode", "chargePointModel", "model", "meterStart", "meterStop"),
    *("key", "value", "name", "attributeValue", "attributeStatus", "type"),
)
"""Members that a line shows, wherever they stand in a payload; the others are left out."""
USUAL_MEASURAND = "Energy.Active.Import.Register"
MEASURANDS = {USUAL_MEASURAND: "Wh", "Power.Active.Import": "W"}
"""What a line shows of meter values, with the unit that OCPP assumes."""
LINE_LIMIT = 160


def as_text(report: dict[str, Any]) -> str:
    """Return the line for a report of the CSMS (`Csms`)."""
    match report:
        case {"frame": str(line)}:
            return line
        case {"listening": url}:
            return f"csms listens on {url}"
        case {"connected": identity}:
            return f"station {identity} is connected"
        case {"disconnected": identity}:
            return f"station {identity} is disconnected"
        case {"ended": reason}:
            return f"the transaction has ended: {reason}"
        case _:
            return " ".join(map(str, report.values()))


def request_line(sender: str, action: str, payload: dict[str, Any]) -> str:
    """Return the line of a request (or of a SEND)."""
    return _line(sender, action, payload)


def response_line(sender: str, version: Version, action: str, payload: Any) -> str:
    """Return the line of an answer; the name is the one that the version has for it."""
    return _line(sender, f"{action}Response" if version.is_2 else f"{action}.conf", payload)


def error_line(sender: str, action: str, code: str, text: str) -> str:
    """Return the line of a CALLERROR."""
    return _line(sender, f"CALLERROR to {action}: {code} {text}", {})


def _line(sender: str, name: str, payload: Any) -> str:
    return shorten(" ".join((sender, "->", name, *_words(payload))), LINE_LIMIT)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for one in value:
            yield from _words(one)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "sampledValue":
                yield from _samples(inner)
            elif isinstance(inner, dict | list):
                yield from _words(inner)
            elif name in SHOWN:
                yield str(inner)


def _samples(values: Any) -> Iterator[str]:
    for one in values if isinstance(values, list) else []:
        if not isinstance(one, dict) or "phase" in one:
            continue
        unit = MEASURANDS.get(one.get("measurand", USUAL_MEASURAND))
        if unit is not None:
            given = one.get("unit") or (one.get("unitOfMeasure") or {}).get("unit") or unit
            yield f"{one.get('value')} {given}"
