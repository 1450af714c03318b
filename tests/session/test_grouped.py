"""Process groups with real processes: one is killed while a car charges, the others go on, and it is back soon.

`script/kill-processes` does the same to each process in turn, with SIGSTOP and a broker that is away for 20 s.
"""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.control import ask
from tests.session.grouped_charger import GroupedCharger

OFF_S = 0.5
BACK_S = 10.0


def test_what_is_killed_is_back_and_only_the_power_path_takes_the_power_away(tmp_path: Path) -> None:
    async def main() -> None:
        charger = GroupedCharger(tmp_path, "config-ac-ocpp201")
        charger.configure(
            # `ocpp` has to release the connector, also one that was started again.
            lambda modules: modules["connector"]["config_module"].update(external_ready_to_start_charging=True)
        )
        try:
            await charger.start()
            assert {"manager", "starter", "charge", "cloud"} <= charger.processes().keys()
            await charger.charge()
            assert (await _call(charger, "connector.evse", "get_evse"))["result"]["id"] == 1
            assert "result" in await _call(charger, "persistent_store.main", "exists", key="one")
            assert (await _call(charger, "conector.evse", "get_evse"))["nearest"] == "connector.evse"
            charger.kill("cloud")
            await charger.until(lambda: not charger.runs("cloud"), BACK_S)
            await charger.until(lambda: charger.runs("cloud"), BACK_S)
            assert charger.opened_s == [] and charger.pilot.contactors_closed
            killed_s = time.monotonic()
            charger.kill("charge")
            await charger.until(lambda: charger.opened_s, BACK_S)
            assert charger.opened_s[0] - killed_s <= OFF_S
            await charger.until(lambda: charger.pilot.contactors_closed, BACK_S)
            assert charger.runs("charge", "cloud")
            # The second failure is followed by a pause, for which the power does not wait.
            killed_s = time.monotonic()
            charger.kill("charge", signal.SIGSTOP)
            await charger.until(lambda: len(charger.opened_s) == 2, BACK_S)
            assert charger.opened_s[1] - killed_s <= OFF_S
            await charger.until(lambda: charger.pilot.contactors_closed, BACK_S)
            killed_s = time.monotonic()
            charger.kill("manager", signal.SIGKILL)
            await charger.until(lambda: len(charger.opened_s) == 3, BACK_S)
            assert charger.opened_s[2] - killed_s <= OFF_S
            await charger.until(lambda: not charger.processes(), BACK_S)
        finally:
            await charger.stop()

    asyncio.run(main())


async def _call(charger: GroupedCharger, of: str, command: str, **arguments: Any) -> dict[str, Any]:
    request = {"do": "call", "of": of, "command": command, "arguments": arguments}
    return await asyncio.to_thread(ask, Root(charger.root, charger.root), request)
