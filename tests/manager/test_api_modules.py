"""EVerest's API modules in a charger of their own, with a client at a real broker: discovery, orders, requests."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until

CONFIG = """\
active_modules:
  display: {module: display_message_API, config_module: {cfg_heartbeat_interval_ms: 0}}
  supply_1: {module: power_supply_DC_API, config_module: {cfg_heartbeat_interval_ms: 200}}
  supply_2: {module: power_supply_DC_API, config_module: {cfg_heartbeat_interval_ms: 0}}
  computer: {module: system_API, config_module: {cfg_request_reply_to_s: 10}}
"""
TYPES = {
    "display": "display_message",
    "supply_1": "power_supply_DC",
    "supply_2": "power_supply_DC",
    "computer": "system",
}
SECC = str(Path(sys.executable).parent / "secc")


async def call(root: Path, target: str, command: str, arguments: Any) -> Any:
    """Have a module carry out a command, with its arguments by name, as all outside of the charger."""
    words = [SECC, "call", "--root", str(root), "--json", target, command, json.dumps(arguments)]
    process = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    answer, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(answer)


async def find(client: MqttClient, topic: str, wanted: int) -> list[Any]:
    """Ask for API modules; returns the reply of each."""
    replies: list[Any] = []
    stop = client.subscribe("client/found", lambda _, payload: replies.append(json.loads(payload)))
    await asyncio.sleep(0.2)
    client.publish(topic, json.dumps({"headers": {"replyTo": "client/found"}}).encode())
    await until(lambda: len(replies) >= wanted)
    await asyncio.sleep(0.3)
    stop()
    return [one for reply in replies for one in reply["apis"]]


def test_a_client_finds_the_modules_and_does_their_work(mosquitto: Mosquitto, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "etc/everest").mkdir(parents=True)
    (root / "etc/everest/config.yaml").write_text(CONFIG)
    command = [SECC, "run", "--root", str(root), "--broker", f"mqtt://127.0.0.1:{mosquitto.port}"]

    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        heard: dict[str, list[str]] = {}
        client.subscribe("everest_api/#", lambda topic, payload: heard.setdefault(topic, []).append(payload.decode()))
        client.start()
        await until(lambda: len(heard.get("everest_api/1/power_supply_DC/supply_1/e2m/heartbeat", ())) > 2, 30)
        assert heard["everest_api/ready_beacon"] == ["{}"]

        found = await find(client, "everest_api/discover", 4)
        assert {one["module_id"]: one["type"] for one in found} == TYPES and len(found) == 4
        assert all(one["version"] == 1 for one in found)
        found = await find(client, "everest_api/query-modules/power_supply_DC", 2)
        assert sorted(one["module_id"] for one in found) == ["supply_1", "supply_2"]
        assert found[0]["communication_monitoring"].keys() == {"heartbeat_period_ms", "communication_check_period_s"}

        await call(root, "supply_2.main", "setExportVoltageCurrent", {"voltage": 400, "current": 12.5})
        topic = "everest_api/1/power_supply_DC/supply_2/e2m/export_voltage_current"
        await until(lambda: topic in heard)
        assert json.loads(heard[topic][0]) == {"voltage_V": 400.0, "current_A": 12.5}

        def answer(_: str, payload: bytes) -> None:
            request = json.loads(payload)
            client.publish(request["headers"]["replyTo"], json.dumps(request["payload"] == "Hard").encode())

        client.subscribe("everest_api/1/system/computer/e2m/is_reset_allowed", answer)
        await asyncio.sleep(0.2)
        assert await call(root, "computer.main", "is_reset_allowed", {"type": "Hard"}) == {"result": True}
        await client.stop()

    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            run_loop(main())
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
