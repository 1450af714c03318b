"""What a CSMS asks of the charger before the first car comes: action, payload, and a text that its answer must have."""

from __future__ import annotations

from typing import Any

Call = tuple[str, dict[str, Any], str]

# No meter in the configuration: what is offered can be sampled all the same.
MEASURANDS = "Current.Offered,Power.Offered"
CALLS_16: tuple[Call, ...] = (
    ("GetConfiguration", {}, "MeterValueSampleInterval"),
    ("ChangeConfiguration", {"key": "MeterValuesSampledData", "value": MEASURANDS}, "Accepted"),
    ("ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "2"}, "Accepted"),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "2"}, "Accepted"),
    ("ChangeAvailability", {"connectorId": 1, "type": "Operative"}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "connectorId": 1}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Accepted"),
)


def _variable(component: str, name: str) -> dict[str, Any]:
    return {"component": {"name": component}, "variable": {"name": name}}


def _set(component: str, name: str, value: str) -> Call:
    data = _variable(component, name) | {"attributeValue": value}
    return "SetVariables", {"setVariableData": [data]}, "Accepted"


_SCHEDULE = {"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10.0}]}
_PROFILE = {
    "id": 1,
    "stackLevel": 0,
    "chargingProfilePurpose": "TxDefaultProfile",
    "chargingProfileKind": "Absolute",
    "chargingSchedule": [_SCHEDULE | {"startSchedule": "2026-01-01T00:00:00Z"}],
}
CALLS_2: tuple[Call, ...] = (
    _set("SampledDataCtrlr", "TxUpdatedMeasurands", MEASURANDS),
    _set("SampledDataCtrlr", "TxUpdatedInterval", "2"),
    _set("OCPPCommCtrlr", "HeartbeatInterval", "2"),
    ("GetVariables", {"getVariableData": [_variable("OCPPCommCtrlr", "HeartbeatInterval")]}, "Accepted"),
    ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}, "Accepted"),
    ("ChangeAvailability", {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}}, "Accepted"),
    ("TriggerMessage", {"requestedMessage": "Heartbeat"}, "Accepted"),
    ("GetLocalListVersion", {}, "versionNumber"),
    ("SetChargingProfile", {"evseId": 1, "chargingProfile": _PROFILE}, "Accepted"),
    ("GetCompositeSchedule", {"evseId": 1, "duration": 60, "chargingRateUnit": "A"}, "Accepted"),
    ("GetChargingProfiles", {"requestId": 2, "chargingProfile": {}}, "Accepted"),
    ("GetTransactionStatus", {}, "messagesInQueue"),
)
