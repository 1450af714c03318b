"""A failure of API, RpcApi or ErrorHistory while a car charges: the car notices nothing, the module comes back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from chargebyte_fw.contracts.types.error_history import FilterArguments, State
from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Faults
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.scope import OWNER
from chargebyte_fw.manager import module_restarts
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.modules.api.api_commands import Commands
from chargebyte_fw.sim.car_models import Model
from tests.session.plant import Plant

CAR = Model("iso2", battery_kWh=60.0, soc_percent=20, target_soc_percent=90)
BACK_WITHIN_S = 10.0
STEADY_S = 4.0
MODULES = ("api", "rpc_api", "error_history")
ANY_FAULT = ("generic/VendorWarning", "tried")


class Client:
    """A client of RpcApi whose wire is two queues."""

    def __init__(self) -> None:
        self.inbox: asyncio.Queue[str] = asyncio.Queue()
        self.replies: asyncio.Queue[Any] = asyncio.Queue()

    async def recv(self) -> str:
        return await self.inbox.get()

    async def send(self, message: bytes) -> None:
        reply = json.loads(message)
        if "id" in reply:
            self.replies.put_nowait(reply)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        raise AssertionError(f"closed: {code} {reason}")

    async def ask(self, method: str, params: Any = None) -> Any:
        request = {"jsonrpc": "2.0", "id": 7, "method": method}
        self.inbox.put_nowait(json.dumps(request if params is None else {**request, "params": params}))
        async with asyncio.timeout(5):
            return await self.replies.get()


class SupervisedPlant(Plant):
    """The plant as `secc run` has it: a failed module of `cloud` is started again alone."""

    supervisor: Supervisor

    def __init__(self, state: Path, model: Model) -> None:
        super().__init__(state, model)
        self.serve: Any = None
        self.runtime.wires.plug("websocket:8080", lambda serve: setattr(self, "serve", serve))
        self.clients: list[asyncio.Task[None]] = []
        self.changes: list[str] = []
        self.seen: list[tuple[float, str, str]] = []

    async def start_modules(self, plans: list[ModulePlan]) -> None:
        self.supervisor = Supervisor(plans, self.runtime)
        self._running = asyncio.ensure_future(self.supervisor.run())
        await self.until(lambda: self.supervisor.status_file.now.ready or self._running.done())
        assert isinstance(self.supervisor.assembly, Assembly)
        self.assembly = self.supervisor.assembly
        for module_id, book in self.assembly.failures.items():
            self._follow(module_id, book)

    def _follow(self, module_id: str, book: Faults) -> None:
        now = asyncio.get_running_loop().time
        book.subscribe(
            lambda _: self.seen.append((now(), "raised", module_id)),
            lambda _: self.seen.append((now(), "cleared", module_id)),
        )

    async def stop_modules(self) -> None:
        for task in self.clients:
            task.cancel()
        assert self.supervisor.assembly is self.assembly, "all were started again"
        self.supervisor.request_stop()
        assert await self._running == 0

    async def client(self) -> Client:
        client = Client()
        # As the library does: the connection is the server's, not the module's that is served.
        self.clients.append(asyncio.get_running_loop().create_task(self.serve(client)))
        assert "result" in await client.ask("API.Hello")
        return client

    async def get_errors(self, state: str = "Active") -> list[Any]:
        provider = self.assembly.implementations["error_history", "error_history"]
        filters = FilterArguments(state_filter=State(state))
        found: list[Any] = await bus.run_command(provider, "get_errors", (filters,), {}, outside=True)
        return found

    def watch_the_car(self) -> None:
        """From now on note everything that a car could notice."""
        world, pilot = self.world, self.world.pilot
        steps, failures, power_W = len(self.steps()), len(self.failures()), world.car.inlet.power_W
        session_id = world.car._v2g.session_id

        def look() -> None:
            if pilot.letter != "C" or not pilot.contactors_closed:
                self.changes.append(f"pilot {pilot.letter}, contactors closed: {pilot.contactors_closed}")
            if abs(world.car.inlet.power_W / power_W - 1) > 0.2:
                self.changes.append(f"{world.car.inlet.power_W:.0f} W instead of {power_W:.0f} W")
            if len(self.steps()) != steps or len(self.failures()) != failures or not world.car.running:
                self.changes.append(f"{self.steps()[steps:]} {self.failures()[failures:]}")
            if world.car._v2g.session_id != session_id:
                self.changes.append("another V2G session")

        async def keep_looking() -> None:
            while True:
                look()
                await asyncio.sleep(0.1)

        pilot.on_change.append(look)
        self.clients.append(asyncio.get_running_loop().create_task(keep_looking()))


class Sabotage:
    """Wraps every task that modules spawn: notes its name, and lets the one that is armed fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spawned: dict[tuple[str, str], None] = {}
        self.armed: tuple[str, str] | None = None
        self._running: dict[tuple[str, str], list[asyncio.Future[None]]] = {}
        spawn = Module.spawn

        def wrapped(module: Module, work: Coroutine[Any, Any, Any], name: str = "") -> asyncio.Task[Any]:
            key = (module.id, name)
            self.spawned[key] = None
            return spawn(module, self._with_trigger(key, work), name)

        monkeypatch.setattr(Module, "spawn", wrapped)

    async def _with_trigger(self, key: tuple[str, str], work: Coroutine[Any, Any, Any]) -> Any:
        if self.armed == key:
            self.armed = None
            work.close()
            raise RuntimeError("injected")
        trigger: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._running.setdefault(key, []).append(trigger)
        task = asyncio.get_running_loop().create_task(work)
        try:
            await asyncio.wait({task, trigger}, return_when=asyncio.FIRST_COMPLETED)
            if not trigger.done():
                return await task
        finally:
            task.cancel()
            self._running[key].remove(trigger)
        raise RuntimeError("injected")

    def arm(self, key: tuple[str, str]) -> None:
        """Let one task of this name fail: one that runs now, else the next."""
        running = self._running.get(key)
        if running:
            running[0].set_result(None)
        else:
            self.armed = key


COMMANDS = {
    "enable_disable": '{"connector_id": 1, "source": "LocalAPI", "state": "enable", "priority": 42}',
    "set_limit_amps_phases": '{"amps": 16, "phases": 3}',
    "set_limit_watts": "11000",
}
"""Payloads; the others take a number."""


async def exercise(plant: SupervisedPlant, command: str = "") -> None:
    """Do what makes the three modules spawn all their tasks and none of what the car would notice.

    `command`: of API, to be given as well.
    """
    if command:
        plant.mqtt.receive(f"everest_api/connector/cmd/{command}", COMMANDS.get(command, "16"))
    book = plant.assembly.implementations["slac", "main"].faults
    book.raise_fault(*ANY_FAULT, sub_type="tried")
    book.clear(ANY_FAULT[0], "tried")
    if not plant.assembly.modules["rpc_api"].away and plant.serve is not None:
        client = Client()
        plant.clients.append(asyncio.get_running_loop().create_task(plant.serve(client)))
        for method in ("API.Hello", "ChargePoint.GetActiveErrors"):
            client.inbox.put_nowait(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method}))
    rpc: Any = plant.assembly.modules["rpc_api"]
    control = rpc._controls[0]
    control.orders = replace(control.orders, charging_allowed=False)
    variable: Any = plant.assembly.implementations["connector", "evse"]
    variable.session_event.publish(variable.session_event.value)
    for (_, name), node in plant.assembly.implementations.items():
        if name == "external_limits":
            # As an energy node does when it has started again.
            limits: Any = node
            limits.capabilities.publish(limits.capabilities.value)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    control.orders = replace(control.orders, charging_allowed=True)
    await asyncio.sleep(0.5)


async def back_and_working(plant: SupervisedPlant, module_id: str, what: str) -> None:
    """Wait until the module is back; check that this took no longer than it may, and that it works."""
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await plant.until(lambda: bool(plant.seen), 1.0)
    await plant.until(lambda: not plant.assembly.failures[module_id].active, BACK_WITHIN_S)
    assert loop.time() - began_s < BACK_WITHIN_S, what
    assert {one for _, _, one in plant.seen} == {module_id}, what
    plant.seen.clear()
    plant.mqtt._last.clear()
    await asyncio.sleep(1.5)
    assert plant.mqtt.said("everest_api/connector/var/session_info")["state"] == "Charging", what
    assert plant.mqtt.said("everest_api/errors/var/active_errors") == [], what
    client = await plant.client()
    assert (await client.ask("EVSE.GetStatus", {"evse_index": 1}))["result"]["status"]["state"] == "Charging", what
    assert await plant.get_errors() == [], what
    assert plant.changes == [], what
    # A failure soon after the last one is answered with a longer pause: that is another test.
    await asyncio.sleep(STEADY_S)


@pytest.fixture(autouse=True)
def soon_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_restarts, "STEADY_S", STEADY_S)


def commands_of(plant: Plant) -> list[str]:
    """Return the commands that API takes now, by its subscriptions."""
    return [topic.rpartition("/")[2] for topic in plant.mqtt._subscribers if "/cmd/" in topic]


@asynccontextmanager
async def charging(tmp_path: Path) -> AsyncIterator[SupervisedPlant]:
    """A car that charges and whose every change is noted; at the end there was none, and it can leave."""
    async with SupervisedPlant(tmp_path, CAR) as plant:
        await plant.charging()
        await asyncio.sleep(5)
        plant.watch_the_car()
        yield plant
        assert plant.changes == []


def test_an_error_in_any_task(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sabotage = Sabotage(monkeypatch)

    async def main() -> None:
        async with charging(tmp_path) as plant:
            with monkeypatch.context() as harmless:
                # Which tasks there are, without what the commands do.
                harmless.setattr(Commands, "parse", lambda *_: asyncio.sleep(0))
                for command in commands_of(plant):
                    await exercise(plant, command)
            keys = [key for key in sabotage.spawned if key[0] in MODULES]
            assert {module_id for module_id, _ in keys} == set(MODULES) and len(keys) > 15
            for module_id, name in keys:
                sabotage.arm((module_id, name))
                await exercise(plant, name if module_id == "api" and name in commands_of(plant) else "")
                if not plant.seen:
                    # It runs only while the module starts, which therefore fails twice.
                    plant.assembly.modules[module_id].crash(RuntimeError("to start it again"))
                await back_and_working(plant, module_id, f"{module_id} {name}")
                assert sabotage.armed is None, f"{module_id} {name} did not run again"

    run(main())


def fail(*_: Any) -> None:
    raise RuntimeError("injected")


def test_an_error_in_any_subscriber(run: Any, tmp_path: Path) -> None:
    """Each callback of a variable or of faults that the three modules have registered fails once."""

    async def main() -> None:
        async with charging(tmp_path) as plant:
            variables = [
                variable
                for one in plant.assembly.implementations.values()
                for variable in one.endpoint.variables.values()
            ]
            count = 0
            for module_id in MODULES:
                for variable in variables:
                    scope = plant.assembly.modules[module_id].scope
                    owned = [entry for entry in variable._subscribers if entry[2].get(OWNER) is scope]
                    for _, guard, context in owned[:1]:
                        entry = (fail, guard, context)
                        variable._subscribers.append(entry)
                        asyncio.get_running_loop().call_soon(variable._deliver, entry, None, context=context)
                        await back_and_working(plant, module_id, f"{module_id} {variable.name}")
                        variable._subscribers.remove(entry)
                        count += 1
                book = plant.assembly.implementations["slac", "main"].faults
                its = plant.assembly.modules[module_id].scope
                for listener in [entry for entry in book._listeners if entry[2] is its]:
                    book._listeners[book._listeners.index(listener)] = (fail, listener[1], its)
                    book.raise_fault(*ANY_FAULT, sub_type="tried")
                    book.clear(ANY_FAULT[0], "tried")
                    await back_and_working(plant, module_id, f"{module_id} faults")
                    count += 1
            assert count > 20

    run(main())


def test_an_error_in_any_timer_or_stray_callback(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with charging(tmp_path) as plant:
            for module_id in MODULES:
                module = plant.assembly.modules[module_id]
                module.after(0.1, fail)
                await back_and_working(plant, module_id, f"{module_id} timer")
                module = plant.assembly.modules[module_id]
                module.scope.context.copy().run(asyncio.get_running_loop().call_later, 0.1, fail)
                await back_and_working(plant, module_id, f"{module_id} callback")
            rpc: Any = plant.assembly.modules["rpc_api"]
            rpc._flush = fail
            await plant.client()
            await back_and_working(plant, "rpc_api", "notifications")

    run(main())


@pytest.mark.parametrize("step", ["init", "ready", "stop"])
def test_an_error_while_it_is_started_or_stopped(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def main() -> None:
        async with charging(tmp_path) as plant:
            for module_id in MODULES:
                module = plant.assembly.modules[module_id]
                real, times = getattr(type(module), step), iter([True])

                async def once(module: Module, real: Any = real, times: Any = times) -> None:
                    if next(times, False):
                        fail()
                    await real(module)

                monkeypatch.setattr(type(module), step, once)
                module.crash(RuntimeError("to start it again"))
                await back_and_working(plant, module_id, f"{module_id} {step}")

    run(main())


def test_an_error_in_a_command(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In-process commands fail their module; what a client on a wire asks for costs that client its answer only."""

    async def main() -> None:
        async with charging(tmp_path) as plant:
            history: Any = plant.assembly.modules["error_history"]
            history.find = fail
            provider = plant.assembly.implementations["error_history", "error_history"]
            with pytest.raises(CommandError, match="injected"):
                await bus.run_command(provider, "get_errors", (FilterArguments(),), {})
            await back_and_working(plant, "error_history", "get_errors")
            with monkeypatch.context() as patched:
                patched.setattr(Commands, "parse", fail)
                for command in commands_of(plant):
                    plant.mqtt.receive(f"everest_api/connector/cmd/{command}", "1")
                rpc: Any = plant.assembly.modules["rpc_api"]
                client = await plant.client()
                for method in tuple(rpc.methods.table):
                    real = rpc.methods.table[method]
                    rpc.methods.table[method] = fail
                    assert "error" in await client.ask(method)
                    rpc.methods.table[method] = real
                await asyncio.sleep(1)
            assert plant.seen == [] and plant.changes == []
            assert len([text for text in plant.tracebacks() if text.endswith(" failed")]) >= 5
            api = plant.assembly.modules["api"]
            assert not api.away and not api.failed.done()

    run(main())


def test_each_failure_is_recorded_with_its_end_and_traced_with_growing_pauses(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with charging(tmp_path) as plant:
            for _ in range(5):
                plant.assembly.modules["api"].crash(RuntimeError("injected"))
                await asyncio.sleep(30)
            states = [(one.type, one.state, one.origin.module_id) for one in await plant.get_errors("ClearedByModule")]
            assert states == [("generic/CommunicationFault", "ClearedByModule", "api")] * 5
            traces = sorted((plant.runtime.root.state / "var/lib/secc/traces").iterdir())
            assert 1 <= len(traces) <= 3 and "api-generic-CommunicationFault" in traces[0].name

    run(main())


def test_energy_duration_and_orders_of_a_session_outlive_the_restart(run: Any, tmp_path: Path) -> None:
    async def main() -> None:
        async with charging(tmp_path) as plant:
            rpc: Any = plant.assembly.modules["rpc_api"]
            rpc._controls[0].orders = replace(rpc._controls[0].orders, power_W=5000.0)
            await asyncio.sleep(60)
            before = plant.mqtt.said("everest_api/connector/var/session_info")
            for module_id in ("api", "rpc_api"):
                plant.assembly.modules[module_id].crash(RuntimeError("injected"))
            await asyncio.sleep(10)
            plant.mqtt._last.clear()
            await asyncio.sleep(2)
            after = plant.mqtt.said("everest_api/connector/var/session_info")
            assert 8 <= after["charging_duration_s"] - before["charging_duration_s"] <= 14
            assert 0 < before["charged_energy_wh"] < after["charged_energy_wh"] < before["charged_energy_wh"] + 60
            rpc = plant.assembly.modules["rpc_api"]
            assert rpc._controls[0].orders.power_W == 5000.0

    run(main())
