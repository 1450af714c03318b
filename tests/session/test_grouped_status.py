"""`secc status --broker` shows of a charger of this product what its control socket shows: groups, memory, restarts."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.session.grouped_charger import SECC, GroupedCharger

BACK_S = 10.0
PASSES = ("time", "source", "memory_MB", "duration_s", "for_s", "ends_in_s", "text")


async def shown(*options: str) -> dict[str, Any]:
    command = [SECC, "status", "--json", *options]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    status: dict[str, Any] = json.loads(done.stdout)
    return status


def lasting(value: Any) -> Any:
    """Leave out what changes all the time, and where the CSMS is."""
    if isinstance(value, dict):
        return {key: lasting(member) for key, member in value.items() if key not in PASSES}
    return [lasting(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("grouped", [True, False], ids=["in groups", "in one process"])
def test_over_the_broker_a_charger_shows_what_it_shows_at_the_machine(tmp_path: Path, *, grouped: bool) -> None:
    async def main() -> None:
        charger = GroupedCharger(tmp_path, "bsp-only-ac", grouped=grouped)
        broker = ("--broker", f"127.0.0.1:{charger.broker.port}")
        try:
            await charger.start()
            await charger.charge()
            if grouped:
                charger.kill("cloud")
                await charger.until(lambda: not charger.runs("cloud"), BACK_S)
                await charger.until(lambda: charger.runs("cloud"), BACK_S)
            # What follows from the start of a charge is over.
            await asyncio.sleep(2)
            over_mqtt, here = await shown(*broker), await shown("--root", str(tmp_path))
            assert lasting(over_mqtt) == lasting(here)
            (evse,) = over_mqtt["evses"]
            assert (evse["state"], evse["pilot"], evse["pwm_percent"]) == ("Charging", "C", 26.7)
            restarts = {one["name"]: one["restarts"] for one in over_mqtt["processes"]}
            assert restarts == ({"secc": 0, "charge": 0, "cloud": 1} if grouped else {"secc": 0})
            assert all(one["memory_MB"] > 5 for one in over_mqtt["processes"])
        finally:
            await charger.stop()

    asyncio.run(main())


def test_a_charger_that_is_started_again_is_shown_whole_once_it_is_back(tmp_path: Path) -> None:
    async def main() -> None:
        charger = GroupedCharger(tmp_path, "bsp-only-ac")
        seen = tmp_path / "watch.jsonl"

        def lines() -> list[dict[str, Any]]:
            return [json.loads(line) for line in seen.read_text().rpartition("\n")[0].splitlines()]

        await charger.start()
        command = [SECC, "watch", "--json", "--every", "0.2", "--broker", f"127.0.0.1:{charger.broker.port}"]
        with seen.open("wb") as file:
            watch = subprocess.Popen(command, stdout=file, stderr=file)
        try:
            await charger.until(lambda: lines(), 10)
            await charger.stop_charger()
            await charger.until(lambda: any("lost" in line for line in lines()), 10)
            charger.start_charger()
            await charger.until(lambda: sum("status" in line for line in lines()) == 2, 20)
            # The first messages of its modules are no picture of it.
            back = next(line["status"] for line in reversed(lines()) if "status" in line)
            assert {one["name"] for one in back["processes"]} == {"secc", "charge", "cloud"}
        finally:
            watch.terminate()
            watch.wait(10)
            await charger.stop()

    asyncio.run(main())
