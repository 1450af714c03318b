"""RpcApi answers a recorded client as the reference did; `docs/integrators.md` has the deviations."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import EVInfo, SessionEventEnum
from tests.api.helpers import event, meter
from tests.api.test_rpc_api import Bench, Client, greeted

__all__ = ["greeted"]
CAPTURE = Path(__file__).parents[1] / "captures/integrators/jsonrpc.jsonl"
ROWS = [json.loads(line) for line in CAPTURE.read_text("utf-8").split("\n") if line]
CALLS = [row[1:] for row in ROWS if row[0] == "call" and row[2] != ""]
NOTIFICATIONS = [row[1] for row in ROWS if row[0] == "notification"]
WITHOUT_NODE = ("EVSE.SetDCChargingPower", "EVSE.SetChargingAllowed", "EVSE.SetACChargingPhaseCount")
"""The recorded energy node had no mapping, for which the reference has another error."""


def shape(value: Any) -> Any:
    """Reduce a message to its keys and JSON types; whole numbers and others are two."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(inner) for inner in value[:1]] if isinstance(value, list) else type(value).__name__


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: inner for key, inner in value.items() if key not in keys}


def comparable(answer: Any) -> Any:
    """Leave out what depends on the charger (its meter's and its identity's optional fields)."""
    if isinstance(answer, list):
        return [comparable(each) for each in answer]
    result = answer.get("result", {})
    if "charger_info" in result:
        result = {**result, "charger_info": without(result["charger_info"], "friendly_name")}
    if "meter_data" in result:
        result = {**result, "meter_data": without(result["meter_data"], "current_A", "voltage_V")}
    if "display_parameters" in result.get("status", {}):
        result = {**result, "status": without(result["status"], "display_parameters")}
    return {**answer, "result": result} if result else answer


def test_every_recorded_request_is_answered_as_recorded(greeted: Any) -> None:
    async def story(_bench: Bench, client: Client) -> None:
        for request, expected in CALLS:
            client.inbox.put_nowait(json.dumps(request))
            answer = await client.replies.get()
            method = request.get("method") if isinstance(request, dict) else ""
            if method in WITHOUT_NODE or (method == "EVSE.EnableConnector" and request["id"] == 14):
                assert expected["result"] == {"error": "ErrorInvalidEVSEIndex"}
                assert shape(answer) == shape(expected)
            elif isinstance(expected, dict) and ("error" in expected or expected["result"].get("error") != "NoError"):
                assert comparable(answer) == comparable(expected) or method == "API.Hello"
            else:
                assert shape(comparable(answer)) == shape(comparable(expected)), request

    greeted(story)


@pytest.mark.parametrize("state", ["Preparing", "AuthRequired", "Charging", "ChargingPausedEV", "FinishedEV"])
def test_the_status_of_a_session_has_the_recorded_keys_and_types(greeted: Any, state: str) -> None:
    kinds = {
        "Preparing": SessionEventEnum.SessionStarted,
        "AuthRequired": SessionEventEnum.AuthRequired,
        "Charging": SessionEventEnum.ChargingStarted,
        "ChargingPausedEV": SessionEventEnum.ChargingPausedEV,
        "FinishedEV": SessionEventEnum.StoppingCharging,
    }
    recorded = [each["params"] for each in NOTIFICATIONS if each["method"] == "EVSE.StatusChanged"]
    expected = next(each for each in reversed(recorded) if each["evse_status"]["state"] == state)

    async def story(bench: Bench, client: Client) -> None:
        shown = expected["evse_status"].get("display_parameters", {})
        if shown:
            full = "2999-01-01T00:00:00Z" if "remaining_time_to_maximum_soc" in shown else None
            bench.evse.ev_info.publish(EVInfo(soc=10.4, estimated_time_full=full))
        bench.evse.session_event.publish(event(kinds[state]))
        await asyncio.sleep(0.1)
        told = client.notified[-1]
        assert told["method"] == "EVSE.StatusChanged" and told["params"]["evse_status"]["state"] == state
        assert shape(told["params"]) == shape(expected)

    greeted(story)


def test_meter_data_is_notified_with_the_recorded_keys(greeted: Any) -> None:
    (expected,) = [each for each in NOTIFICATIONS if each["method"] == "EVSE.MeterDataChanged"]

    async def story(bench: Bench, client: Client) -> None:
        bench.evse.powermeter.publish(meter(1.75))
        await asyncio.sleep(0.1)
        told = client.notified[0]
        assert told["params"]["meter_data"].keys() == expected["params"]["meter_data"].keys()
        assert without(told, "params") == without(expected, "params")

    greeted(story)
