"""Profiles of OCPP 2.x as payloads."""

from __future__ import annotations

from typing import Any

from tests.ocpp.smart_charging.talk import SESSION, SmartTalk, rfc


def profile(purpose: str = "TxDefaultProfile", *limits: Any, id: int = 1, level: int = 0, **rest: Any) -> Any:
    """`(start, limit)` each; a number is a limit from the start, an object a whole period."""
    periods = []
    for one in limits:
        if isinstance(one, dict):
            periods.append({"startPeriod": 0, **one})
        else:
            start, limit = one if isinstance(one, tuple) else (0, one)
            periods.append({"startPeriod": start, "limit": limit})
    schedule = {
        "id": 1,
        "chargingRateUnit": rest.pop("unit", "A"),
        "startSchedule": rest.pop("start", rfc()),
        "chargingSchedulePeriod": periods,
        **rest.pop("schedule", {}),
    }
    if rest.get("chargingProfileKind") in ("Relative", "Dynamic"):
        del schedule["startSchedule"]
    if purpose == "TxProfile":
        rest.setdefault("transactionId", SESSION)
    return {
        "id": id,
        "stackLevel": level,
        "chargingProfilePurpose": purpose,
        "chargingProfileKind": "Absolute",
        "chargingSchedule": [schedule],
        **rest,
    }


def put(it: SmartTalk, evse_id: int, made: Any) -> str:
    """Set a profile; return the status, or the reasonCode of a rejection."""
    answer = it.ask("SetChargingProfile", {"evseId": evse_id, "chargingProfile": made})
    reason: str = answer.get("statusInfo", {}).get("reasonCode", answer["status"])
    return reason
