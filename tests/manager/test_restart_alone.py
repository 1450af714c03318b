"""A module of group `cloud` fails: it is stopped and started again alone, and all others go on."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Finding
from chargebyte_fw.kernel.faults import Fault, Faults, FaultState, Origin, Severity
from chargebyte_fw.kernel.module import Module, provides, requires, requires_optional
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager import assembly as assembly_file
from chargebyte_fw.manager import module_restarts
from chargebyte_fw.manager.assembly import FAILURE, WHOLE_MODULE, Assembly
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.supervisor import Supervisor
from tests.manager.parts import Level, Main, MainConfig, Tank, Valve

Run = Callable[[Any], Any]


class Charging(Module):
    """Stands for all between car and contactor: nothing may happen to it."""

    valve = provides(Main, config=MainConfig)
    stopped_count: ClassVar[int] = 0

    async def ready(self) -> None:
        self.valve.position.publish(1.0)

    async def stop(self) -> None:
        Charging.stopped_count += 1


class CloudValve(Main):
    module: Any

    async def close(self) -> None:
        await self.module.on_close()


class Cloud(Module):
    """Listens to the valve and publishes a level; `plan` says what goes wrong in which instance."""

    group = "cloud"
    enable_global_errors = True
    tank = provides(Tank)
    own = provides(CloudValve, config=MainConfig)
    valve = requires(Valve)
    made: ClassVar[list[Cloud]] = []
    goes_wrong: ClassVar[dict[tuple[int, str], Callable[[Cloud], Any]]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.number = len(Cloud.made)
        Cloud.made.append(self)
        self.positions: list[float] = []
        self.raised: list[Fault] = []

    async def step(self, name: str) -> None:
        wrong = Cloud.goes_wrong.get((self.number, name))
        if wrong is not None:
            result = wrong(self)
            if result is not None:
                await result

    async def init(self) -> None:
        self.valve.position.subscribe(self.positions.append)
        await self.step("init")

    async def ready(self) -> None:
        self.tank.litres.publish(float(self.number))
        await self.step("ready")

    async def stop(self) -> None:
        await self.step("stop")

    async def on_close(self) -> None:
        await self.step("close")


class Reader(Module):
    """Of `charge`, and uses the module of `cloud`."""

    level = requires_optional(Level)
    other = requires_optional(Valve)

    async def init(self) -> None:
        self.levels: list[float] = []
        if self.level is not None:
            self.level.litres.subscribe(self.levels.append)


def raise_it(*_: Any) -> Any:
    raise RuntimeError("on purpose")


async def forever() -> None:
    await asyncio.sleep(1e6)


async def hang_stubbornly() -> None:
    try:
        await forever()
    except asyncio.CancelledError:
        await forever()


def listen_badly(module: Cloud) -> None:
    for book in module.runtime.all_faults:
        book.subscribe(raise_it, lambda _: None)


def in_a_task(module: Cloud) -> None:
    async def fail() -> None:
        await asyncio.sleep(1)
        raise_it()

    module.spawn(fail())


def in_a_stray_callback(module: Cloud) -> None:
    asyncio.get_running_loop().call_later(1, raise_it)


def in_a_callback_of_a_subscriber(module: Cloud) -> None:
    """A timer that was set while the callback of a variable of `charge` ran."""

    def set_timer(_: object) -> None:
        asyncio.get_running_loop().call_later(1, raise_it)

    module.valve.report.subscribe(set_timer)


def in_a_timer(module: Cloud) -> None:
    module.after(1, raise_it)


def in_a_subscriber(module: Cloud) -> None:
    module.valve.report.subscribe(raise_it)


WAYS: dict[str, dict[tuple[int, str], Callable[[Cloud], Any]]] = {
    "init": {(0, "init"): raise_it},
    "ready": {(0, "ready"): raise_it},
    "task": {(0, "ready"): in_a_task},
    "timer": {(0, "ready"): in_a_timer},
    "callback": {(0, "ready"): in_a_stray_callback},
    "subscriber": {(0, "ready"): in_a_subscriber},
    "callback of a subscriber": {(0, "ready"): in_a_callback_of_a_subscriber},
    "fault listener": {(0, "ready"): listen_badly},
    "command": {(0, "close"): raise_it},
    "stop, too": {(0, "ready"): in_a_task, (0, "stop"): raise_it},
    "hangs while it stops": {(0, "ready"): in_a_task, (0, "stop"): lambda _: forever()},
}


def plans() -> list[ModulePlan]:
    cloud = {"valve": [Connection("charging", "valve")]}
    reader = {"level": [Connection("cloud", "tank")], "other": [Connection("cloud", "own")]}
    return [
        ModulePlan("cloud", Cloud, Cloud.Config(), {}, cloud),
        ModulePlan("charging", Charging, Charging.Config()),
        ModulePlan("reader", Reader, Reader.Config(), {}, reader),
    ]


@pytest.fixture(autouse=True)
def fresh() -> None:
    Cloud.made.clear()
    Cloud.goes_wrong = {}
    Charging.stopped_count = 0


class Scene:
    """A charger on a virtual clock, and each raising and clearing of a fault with its time."""

    def __init__(self, runtime: Runtime) -> None:
        self.supervisor = Supervisor(plans(), runtime)
        self.runtime = runtime
        self.seen: list[tuple[float, str, str]] = []

    async def __aenter__(self) -> Scene:
        self.running = asyncio.ensure_future(self.supervisor.run())
        while not (self.supervisor.status_file.now.ready or self.running.done()):
            await asyncio.sleep(0.01)
        book = self.assembly.failures["cloud"]
        now = asyncio.get_running_loop().time
        book.subscribe(
            lambda fault: self.seen.append((now(), "raised", fault.type)),
            lambda fault: self.seen.append((now(), "cleared", fault.type)),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if not self.running.done():
            assert Charging.stopped_count == 0, "charging was stopped"
        self.supervisor.request_stop()
        await self.running

    @property
    def assembly(self) -> Assembly:
        assert self.supervisor.assembly is not None
        return self.supervisor.assembly

    def module(self, module_id: str) -> Any:
        return self.assembly.modules[module_id]

    def charging(self) -> Any:
        return self.module("charging")


@pytest.mark.parametrize("way", WAYS)
def test_it_is_started_again_alone_within_10_s(run: Run, runtime: Runtime, way: str) -> None:
    Cloud.goes_wrong = WAYS[way]

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(0.1)
            scene.charging().valve.report.publish(None)
            scene.charging().valve.faults.raise_fault("generic/VendorWarning", "look")
            if way == "command":
                with pytest.raises(CommandError, match="on purpose"):
                    await scene.module("reader").other.close()
            await asyncio.sleep(12)
            assert [what for _, *what in scene.seen] == [["raised", FAILURE], ["cleared", FAILURE]]
            assert scene.seen[1][0] - scene.seen[0][0] < 10
            assert len(Cloud.made) == 2 and scene.module("cloud") is Cloud.made[1]
            assert scene.module("reader").levels[-1] == 1.0
            assert await scene.module("reader").other.turn(to=5, mode="Fast") is not None
            # What charges knows only one instance of the other.
            scene.charging().valve.position.publish(2.0)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert Cloud.made[1].positions == [1.0, 2.0] and 2.0 not in Cloud.made[0].positions

    run(main())


def test_while_it_is_away_commands_fail_at_once_and_facts_are_kept(run: Run, runtime: Runtime) -> None:
    Cloud.goes_wrong = {(0, "ready"): in_a_task, (1, "init"): lambda _: asyncio.sleep(3)}

    async def main() -> None:
        loop = asyncio.get_running_loop()
        async with Scene(runtime) as scene:
            for when in (1.5, 3.0):
                await asyncio.sleep(when - loop.time())
                began_s = loop.time()
                with pytest.raises(CommandError, match="NotReady: cloud has failed and is being started again"):
                    await scene.module("reader").other.turn(to=5, mode="Fast")
                assert loop.time() == began_s
                assert scene.module("reader").level.litres.value == 0.0
                late: list[float] = []
                scene.module("reader").level.litres.subscribe(late.append)
                await asyncio.sleep(0.01)
                assert late == [0.0]

    run(main())


def test_the_fault_says_whose_it_is_and_blocks_nothing(run: Run, runtime: Runtime) -> None:
    Cloud.goes_wrong = {(0, "ready"): raise_it}

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(0.5)
            (fault,) = (fault for book in runtime.all_faults for fault in book.active)
            assert (fault.type, fault.severity) == (FAILURE, "Medium")
            assert (fault.origin.module_id, fault.origin.implementation_id) == ("cloud", WHOLE_MODULE)
            assert fault.message == "cloud has failed (RuntimeError: on purpose) and is being started again"
            assert scene.supervisor.status_file.now.faults == [f"cloud: {FAILURE} {fault.message}"]

    run(main())


def test_who_fails_again_and_again_is_tried_at_growing_intervals_under_a_standing_fault(
    run: Run, runtime: Runtime
) -> None:
    Cloud.goes_wrong = dict.fromkeys(((number, "ready") for number in range(9)), in_a_task)

    async def main() -> None:
        async with Scene(runtime) as scene:
            starts: list[float] = []
            seen = 1
            while asyncio.get_running_loop().time() < 600:
                if len(Cloud.made) > seen:
                    seen = len(Cloud.made)
                    starts.append(asyncio.get_running_loop().time())
                await asyncio.sleep(0.05)
            gaps = [later - earlier for earlier, later in pairwise(starts)]
            wanted = [min(2.0**number, 60.0) + 1 for number in range(1, 9)]
            assert gaps == pytest.approx(wanted, abs=0.2)
            # Cleared once, when a first failure seemed to be over, and at the end, when it really was.
            assert [what for _, what, _ in scene.seen] == ["raised", "cleared", "raised", "cleared"]
            traces = list((runtime.root.state / "var/lib/secc/traces").iterdir())
            assert 1 < len(traces) < 6, "one for the first failure, the others with growing pauses"

    run(main())


def test_who_has_failed_too_often_is_out_of_service_with_the_reason_and_the_rest_lives(
    run: Run, runtime: Runtime
) -> None:
    Cloud.goes_wrong = dict.fromkeys(((number, "ready") for number in range(100)), in_a_task)

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(3600)
            assert len(Cloud.made) == module_restarts.FAILURES
            (fault,) = scene.assembly.failures["cloud"].active
            assert fault.message == "cloud is out of service after 10 failures (RuntimeError: on purpose)"
            with pytest.raises(CommandError, match="NotReady"):
                await scene.module("reader").other.close()
            assert not scene.module("reader").failed.done()

    run(main())


@pytest.mark.parametrize("step", ["init", "ready"])
@pytest.mark.parametrize("hang", [forever, hang_stubbornly])
def test_a_start_that_hangs_delays_charging_for_a_moment_only_and_is_broken_off(
    run: Run, runtime: Runtime, step: str, hang: Any
) -> None:
    Cloud.goes_wrong = {(0, step): lambda _: hang()}

    async def main() -> None:
        async with Scene(runtime) as scene:
            assert asyncio.get_running_loop().time() <= assembly_file.CLOUD_START_S + 0.1
            with pytest.raises(CommandError, match="NotReady"):
                await scene.module("reader").other.close()
            await asyncio.sleep(module_restarts.START_LIMIT_S + 10)
            assert [what for _, what, _ in scene.seen] == ["raised", "cleared"]
            assert scene.module("cloud") is Cloud.made[1]
            await scene.module("reader").other.close()

    run(main())


@pytest.mark.parametrize("step", ["init", "ready"])
def test_a_start_that_only_takes_long_is_waited_for_aside(run: Run, runtime: Runtime, step: str) -> None:
    Cloud.goes_wrong = {(0, step): lambda _: asyncio.sleep(20)}

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(20)
            assert scene.seen == [] and len(Cloud.made) == 1
            await scene.module("reader").other.close()
            assert scene.module("reader").levels == [0.0]

    run(main())


def test_an_instance_that_cannot_be_made_is_tried_again(
    run: Run, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    Cloud.goes_wrong = {(0, "ready"): in_a_task}
    make, broken = Cloud.__init__, iter([False, True])

    def make_or_fail(module: Cloud) -> None:
        if next(broken, False):
            raise_it()
        make(module)

    monkeypatch.setattr(Cloud, "__init__", make_or_fail)

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(2.5)
            with pytest.raises(CommandError, match="NotReady"):
                await scene.module("reader").other.close()
            await asyncio.sleep(6)
            assert [what for _, what, _ in scene.seen] == ["raised", "cleared"]
            await scene.module("reader").other.close()

    run(main())


def test_secrets_of_an_error_are_not_in_the_fault(run: Run, runtime: Runtime) -> None:
    def fail_with_a_secret(module: Cloud) -> None:
        raise RuntimeError("cannot reach ftp://user:hunter2@host/x")

    Cloud.goes_wrong = {(0, "ready"): fail_with_a_secret}

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(0.5)
            (fault,) = scene.assembly.failures["cloud"].active
            assert "cannot reach" in fault.message and "hunter2" not in fault.message

    run(main())


def test_a_stop_in_the_middle_of_a_restart_leaves_nothing_behind(run: Run, runtime: Runtime) -> None:
    Cloud.goes_wrong = {(0, "ready"): in_a_task, (0, "stop"): lambda _: asyncio.sleep(2)}

    async def main() -> set[str]:
        for stop_after_s in (0.5, 1.5, 3.5):
            fresh.__wrapped__()  # type: ignore[attr-defined]
            Cloud.goes_wrong = {(0, "ready"): in_a_task, (0, "stop"): lambda _: asyncio.sleep(2)}
            async with Scene(runtime):
                await asyncio.sleep(stop_after_s)
            assert Charging.stopped_count == 1
        return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert run(main()) == set()


def test_a_file_that_is_wrong_ends_the_start_but_no_session(run: Run, runtime: Runtime) -> None:
    def wrong_file(_: Cloud) -> None:
        raise ConfigError([Finding("module cloud", "no")])

    async def later() -> None:
        Cloud.goes_wrong = {(0, "ready"): in_a_task, (1, "init"): wrong_file}
        async with Scene(runtime) as scene:
            await asyncio.sleep(20)
            assert len(Cloud.made) == 3 and scene.assembly.failures["cloud"].active == ()

    async def at_the_start() -> None:
        Cloud.made.clear()
        Cloud.goes_wrong = {(0, "init"): wrong_file}
        with pytest.raises(ConfigError, match="module cloud"):
            await Supervisor(plans(), runtime).run()

    run(later())
    run(at_the_start())


def test_a_failure_of_charge_takes_all_with_it_also_those_that_are_away(run: Run, runtime: Runtime) -> None:
    Cloud.goes_wrong = {(0, "ready"): in_a_task, (1, "init"): lambda _: asyncio.sleep(5)}

    async def main() -> None:
        scene = Scene(runtime)
        async with scene:
            await asyncio.sleep(4)
            scene.charging().crash(RuntimeError("on purpose"))
            await asyncio.sleep(4)
            assert Charging.stopped_count == 1 and len(Cloud.made) == 3
            assert scene.module("cloud") is Cloud.made[2] and scene.module("reader").levels == [2.0]
            Charging.stopped_count = 0

    run(main())


def test_what_a_module_keeps_its_next_instance_has_unless_it_fails_again(run: Run, runtime: Runtime) -> None:
    def keep(module: Cloud) -> None:
        module.kept["number"] = [*module.kept.get("number", []), module.number]
        in_a_task(module)

    Cloud.goes_wrong = {(0, "ready"): keep, (1, "ready"): keep, (2, "ready"): lambda module: module.kept.update(n=1)}

    async def main() -> None:
        async with Scene(runtime) as scene:
            await asyncio.sleep(2.5)
            assert scene.module("cloud").kept == {"number": [0, 1]}
            await asyncio.sleep(10)
            assert scene.module("cloud").kept == {"n": 1}

    run(main())


def test_200_restarts_leave_no_instance_no_task_and_no_subscription(
    run: Run, runtime: Runtime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "secc")
    monkeypatch.setattr(module_restarts, "STEADY_S", 0.0)

    async def main() -> None:
        async with Scene(runtime) as scene:

            async def restart(times: int) -> int:
                for _ in range(times):
                    scene.module("cloud").crash(RuntimeError("on purpose"))
                    await asyncio.sleep(1.1)
                Cloud.made.clear()
                scene.seen.clear()
                gc.collect()
                return len(gc.get_objects())

            before = await restart(20)
            after = await restart(200)
            assert after - before < 200, "less than an object for each restart"
            instances = [one for one in gc.get_objects() if isinstance(one, Cloud)]
            assert instances == [scene.module("cloud")]
            assert len(scene.charging().valve.position._subscribers) == 1
            assert len(asyncio.all_tasks()) < 10

    run(main())


class Broken(Charging):
    """Fails as soon as it runs."""

    async def ready(self) -> None:
        self.after(1, raise_it)


def test_charge_that_fails_again_and_again_is_out_of_service_and_the_rest_lives(run: Run, runtime: Runtime) -> None:
    everything = [plans()[0], ModulePlan("charging", Broken, Broken.Config())]

    async def main() -> None:
        supervisor = Supervisor(everything, runtime, failures=3)
        running = asyncio.ensure_future(supervisor.run())
        await asyncio.sleep(60)
        assert supervisor.assembly is not None
        cloud: Any = supervisor.assembly.modules["cloud"]
        assert len(Cloud.made) == 4, "one for each run, the last of which stays"
        assert Charging.stopped_count == 3, "it is not started any more"
        raised = [
            fault
            for book in supervisor.assembly.runtime.all_faults
            for fault in book.active
            if fault.origin.module_id == "charging"
        ]
        why = "out of service after 3 failures (charging: RuntimeError: on purpose)"
        assert [(fault.sub_type, fault.message) for fault in raised] == [("Absent", why)]
        with pytest.raises(CommandError, match="NotReady: charging has failed and is out of service"):
            await cloud.valve.turn(to=5, mode="Fast")
        # One that fails alone still has its own restarts.
        cloud.crash(RuntimeError("on purpose"))
        await asyncio.sleep(5)
        assert len(Cloud.made) == 5
        supervisor.request_stop()
        assert await running == 0

    run(main())


def test_an_evse_out_of_service_is_inoperative() -> None:
    book = Faults(frozenset(("evse_manager/Inoperative", "evse_manager/Internal")), _fault)
    bus.raise_absence(book, "ended", drives=False)
    assert not book.active
    bus.raise_absence(book, "out of service", drives=False, lasting=True)
    assert [fault.type for fault in book.active] == ["evse_manager/Inoperative"]
    bus.clear_absence(book)
    assert not book.active


def _fault(type: str, sub_type: str, message: str, severity: Severity) -> Fault:
    return Fault(
        type=type,
        sub_type=sub_type,
        message=message,
        description="",
        severity=severity,
        origin=Origin("evse", "main"),
        state=FaultState.Active,
        timestamp="2026-11-30T00:00:00Z",
        uuid="1",
    )
