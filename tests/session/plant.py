"""A whole plant in memory: a shipped configuration, all of its modules, the world around them, one virtual clock."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.overlay_fallback import load_with_fallback
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.world import MemoryWorld

REPOSITORY = Path(__file__).parents[2]
CONFIGURATIONS = {"iso2": "bsp-only-dc.yaml", "din": "bsp-only-dc.yaml", "basic": "bsp-only-ac.yaml"}


class HeardMqtt:
    """A broker's stand-in for external MQTT: keeps the last payload of each topic, passes commands on."""

    def __init__(self) -> None:
        self._last: dict[str, str] = {}
        self._subscribers: dict[str, list[Callable[[str, str], None]]] = {}

    def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        self._last[topic] = payload

    def receive(self, topic: str, payload: str = "") -> None:
        """A client publishes."""
        for callback in self._subscribers.get(topic, ()):
            callback(topic, payload)

    def said(self, topic: str) -> Any:
        """Return the last payload of a topic, out of JSON."""
        return json.loads(self._last[topic])

    def subscribe(self, topic: str, callback: Callable[[str, str], None]) -> Callable[[], None]:
        self._subscribers.setdefault(topic, []).append(callback)
        return lambda: self._subscribers[topic].remove(callback)


class Plant:
    """`async with Plant(tmp_path, Model("iso2")) as plant: await plant.session()`."""

    settle_s = 40.0
    """After the stop, before every task has to be over."""

    def __init__(
        self,
        state: Path,
        model: Model,
        *,
        seed: int = 1,
        contracts: bool = False,
        configuration: str = "",
        before_start: Callable[[MemoryWorld], None] = lambda _: None,
        root: Root | None = None,
    ) -> None:
        self.configuration = configuration or CONFIGURATIONS[model.protocol]
        self.model = model
        self.reports: list[dict[str, Any]] = []
        self.mqtt = HeardMqtt()
        self.runtime = Runtime(root=root or Root(REPOSITORY, state), mqtt=self.mqtt, random=random.Random(seed))
        self.runtime.trace.contracts = contracts
        self.runtime.wires.plug("websocket:8080", lambda serve: None)
        self._seed = seed
        self._before_start = before_start
        self.records: list[logging.LogRecord] = []

    async def __aenter__(self) -> Self:
        self._logs = _Keeper(self.records)
        logger = logging.getLogger("secc")
        logger.addHandler(self._logs)
        logger.setLevel(logging.INFO)
        self.tasks_before = asyncio.all_tasks()
        self.world = MemoryWorld(self.runtime.wires, self.model, report=self.reports.append, seed=self._seed)
        self._before_start(self.world)
        configuration = self.runtime.root.static / "etc/everest" / self.configuration
        loaded, _ = load_with_fallback(configuration, self.runtime.root)
        await self.start_modules(loaded.require_sound().plans)
        return self

    async def start_modules(self, plans: list[ModulePlan]) -> None:
        """Start the modules; a supervised plant has them started."""
        self.assembly = Assembly(self.runtime)
        self.assembly.build(plans)
        await self.assembly.start()

    async def stop_modules(self) -> None:
        """Stop them."""
        await self.assembly.stop()

    async def __aexit__(self, *failure: object) -> None:
        try:
            await self.stop_modules()
        finally:
            self.world.close()
            logging.getLogger("secc").removeHandler(self._logs)
        if failure[0] is None:
            self.check()
            for name, module in self.assembly.modules.items():
                assert not (module.failed and module.failed.done()), f"{name}: {module.failed.result()!r}"
            await asyncio.sleep(self.settle_s)
            left = asyncio.all_tasks() - self.tasks_before - {asyncio.current_task()}
            assert left == set(), "tasks are left behind"

    async def session(self, limit_s: float = 3600.0) -> None:
        """Let the car come, charge and leave."""
        await self.world.charger_is_ready()
        self.world.plug_in()
        await self.car_finished(limit_s)
        await asyncio.sleep(2)

    async def car_finished(self, limit_s: float = 3600.0) -> None:
        """Wait for the end of the car's script, or of the simulation itself."""
        async with asyncio.timeout(limit_s):
            while self.world.car.running:
                self.check()
                await asyncio.sleep(1)

    def check(self) -> None:
        """Raise what broke the simulation, if something did."""
        broken = self.world.failure or self.world.mcu.failure
        if broken is not None:
            raise broken

    async def until(self, true: Callable[[], bool], limit_s: float = 120.0) -> None:
        """Wait until something is true; TimeoutError says that it never was."""
        async with asyncio.timeout(limit_s):
            while not true():
                self.check()
                await asyncio.sleep(0.02)

    async def charging(self) -> None:
        """Plug in and wait until current flows."""
        await self.world.charger_is_ready()
        self.world.plug_in()
        await self.until(lambda: self.world.car.inlet.power_W > 0)

    def steps(self) -> list[str]:
        return [report["step"] for report in self.reports if "step" in report]

    def failures(self) -> list[str]:
        return [report["failure"] for report in self.reports if "failure" in report]

    def faults(self) -> list[str]:
        """Types of all faults that are active anywhere."""
        return [fault.type for book in self.runtime.all_faults for fault in book.active]

    def warnings(self) -> list[str]:
        return [record.getMessage() for record in self.records if record.levelno >= logging.WARNING]

    def tracebacks(self) -> list[str]:
        return [record.getMessage() for record in self.records if record.exc_info]


class _Keeper(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)
