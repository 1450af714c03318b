"""A station without hardware: a configuration with EVerest's simulators, all in memory, driven by its MQTT topics."""

from __future__ import annotations

import asyncio
import logging
import random
from pathlib import Path
from typing import Any, Self

from chargebyte_fw.contracts.types.evse_manager import SessionEvent
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.loading import load
from tests.session.plant import REPOSITORY, HeardMqtt

START = ["SessionStarted", "AuthRequired", "Authorized", "TransactionStarted", "PrepareCharging", "ChargingStarted"]
END = ["TransactionFinished", "SessionFinished"]
ENABLED = "everest_external/nodered/{}/carsim/cmd/enable"


class Sil:
    """`async with Sil(tmp_path, file) as sil: sil.execute("...")`: the modules of a file, and what they publish."""

    def __init__(self, state: Path, file: Path, *, seed: int = 1) -> None:
        self.mqtt = HeardMqtt()
        self.runtime = Runtime(root=Root(REPOSITORY, state), mqtt=self.mqtt, random=random.Random(seed))
        self.runtime.wires.plug("websocket:8080", lambda serve: None)
        self.file = file
        self.events: dict[str, list[str]] = {}
        """The session events of each EVSE, by its module's id."""

    async def __aenter__(self) -> Self:
        logging.getLogger("secc").setLevel(logging.INFO)
        self.before = asyncio.all_tasks()
        loaded = load(self.file, self.runtime.root)
        self.assembly = Assembly(self.runtime)
        self.assembly.build(loaded.require_sound().plans)
        self.modules: dict[str, Any] = dict(self.assembly.modules)
        for name in [name for name, one in self.modules.items() if type(one).__name__ == "EvseManager"]:
            self.modules[name].evse.session_event.subscribe(self._hear(name))
        await self.assembly.start()
        return self

    def _hear(self, name: str) -> Any:
        heard = self.events[name] = []

        def hear(event: SessionEvent) -> None:
            heard.append(event.event.value)

        return hear

    async def __aexit__(self, *failure: object) -> None:
        await self.assembly.stop()
        if failure[0] is None:
            for name, module in self.modules.items():
                assert not module.failed.done(), f"{name}: {module.failed.result()!r}"
            await asyncio.sleep(40)
            left = asyncio.all_tasks() - self.before - {asyncio.current_task()}
            assert left == set(), "tasks are left behind"

    def execute(self, script: str, connector: int = 1) -> None:
        """Begin a script of the car."""
        self.mqtt.receive(f"everest_external/nodered/{connector}/carsim/cmd/execute_charging_session", script)

    def modify(self, script: str, connector: int = 1) -> None:
        """Go on with another script."""
        self.mqtt.receive(f"everest_external/nodered/{connector}/carsim/cmd/modify_charging_session", script)

    async def script_over(self, car: str, limit_s: float = 600.0) -> None:
        """Wait for the end of a car's script."""
        async with asyncio.timeout(limit_s):
            while self.modules[car].runner.running:
                await asyncio.sleep(0.5)

    def said(self, *wanted: str, evse: str = "") -> bool:
        """Whether an EVSE has reported these events in this order, others in between or not."""
        heard = iter(self.events[evse] if evse else next(iter(self.events.values())))
        return all(event in heard for event in wanted)
