"""The life of a charger: start in order, stop safe state first, start again with growing pauses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.backoff import Backoff
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Finding
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.module import ConfigIssue, Module
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager import assembly as assembly_file
from chargebyte_fw.manager import recording
from chargebyte_fw.manager import supervisor as supervisor_file
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.supervisor import PAUSES_S, STEADY_S, Supervisor
from tests.manager.parts import BoardJournal, Journal, Kernel, Pump, Watcher

Run = Callable[[Any], Any]


def plan(module_id: str, *above: str, cls: type[Module] = Journal, **config: Any) -> ModulePlan:
    connections = {"above": [Connection(one, "out") for one in above]}
    return ModulePlan(module_id, cls, cls.Config(**config), {}, connections)


def journal(runtime: Runtime) -> list[str]:
    return runtime.root.read("/journal").read_text().split("\n")[:-1]


def stops(runtime: Runtime) -> list[str]:
    return [line.split()[0] for line in journal(runtime) if line.endswith("stop")]


async def run_for(charger: Supervisor, seconds: float) -> int:
    running = asyncio.ensure_future(charger.run())
    await asyncio.sleep(seconds)
    charger.request_stop()
    return await running


def test_modules_start_in_the_configurations_order_and_users_stop_before_those_they_use(
    run: Run, runtime: Runtime
) -> None:
    """The first in the file may be the last to let go. Who only watches stops last of all."""

    async def main() -> None:
        plans = [plan("api", "evse", cls=Watcher), plan("bsp"), plan("evse", "bsp"), plan("energy", "evse")]
        assert await run_for(Supervisor(plans, runtime), 1) == 0

    run(main())
    lines = journal(runtime)
    assert lines[:4] == ["api init", "bsp init", "evse init", "energy init"]
    assert lines[4:8] == ["api ready", "bsp ready", "evse ready", "energy ready"]
    assert stops(runtime) == ["energy", "evse", "bsp", "api"]


def power_plans(**auth: Any) -> list[ModulePlan]:
    bsp = {"bsp": [Connection("bsp", "main")], "above": [Connection("imd", "out")]}
    return [
        plan("bsp", cls=BoardJournal),
        plan("imd"),
        ModulePlan("connector", Kernel, Kernel.Config(), {}, bsp),
        plan("auth", "connector", **auth),
        plan("api", "connector", cls=Watcher),
    ]


def test_the_power_goes_off_before_anything_else_may_take_its_time(run: Run, runtime: Runtime) -> None:
    """`auth` uses the connector and hangs: contactors are open at once all the same."""

    async def main() -> None:
        running = asyncio.ensure_future(run_for(Supervisor(power_plans(hang_on_stop=True), runtime), 1))
        await asyncio.sleep(1.1)
        assert stops(runtime) == ["connector", "imd", "bsp", "auth"]
        await running

    run(main())
    assert stops(runtime) == ["connector", "imd", "bsp", "auth", "api"]
    assert journal(runtime).index("bsp contactors open") < journal(runtime).index("connector stop")


def test_a_module_that_has_stopped_refuses_commands(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        assembly = Assembly(runtime)
        assembly.build(power_plans())
        await assembly.start()
        bsp = assembly.modules["connector"].bsp  # type: ignore[attr-defined]
        await bsp.open_contactors()
        await assembly.stop()
        with pytest.raises(CommandError, match="Shutdown: bsp has stopped"):
            await bsp.open_contactors()

    run(main())


def test_a_module_that_never_began_refuses_commands_of_those_who_stop(
    run: Run, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """A signal during the start: the user is up, what it would switch off is not."""

    class Farewell(Kernel):
        async def init(self) -> None:
            pass

        async def ready(self) -> None:
            pass

        async def stop(self) -> None:
            try:
                await self.bsp.open_contactors()
            except CommandError as error:
                self.log.info("%s", error)

    class Slow(Journal):
        async def init(self) -> None:
            await asyncio.sleep(3600)

    async def main() -> None:
        bsp = {"bsp": [Connection("bsp", "main")]}
        plans = [ModulePlan("connector", Farewell, Kernel.Config(), {}, bsp), plan("slow", cls=Slow)]
        assert await run_for(Supervisor([*plans, plan("bsp", cls=BoardJournal)], runtime), 1) == 0

    caplog.set_level(logging.INFO, "secc")
    run(main())
    assert "Shutdown: bsp has stopped" in [record.getMessage() for record in caplog.records]
    assert not runtime.root.read("/journal").exists() or "bsp" not in runtime.root.read("/journal").read_text()


def test_a_ring_of_users_stops_too(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        assert await run_for(Supervisor([plan("a", "b"), plan("b", "a")], runtime), 1) == 0

    run(main())
    assert sorted(stops(runtime)) == ["a", "b"]


def test_a_module_that_hangs_while_stopping_keeps_nobody_else_from_it(run: Run, runtime: Runtime) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        charger = Supervisor([plan("bsp"), plan("evse", "bsp", hang_on_stop=True)], runtime)
        assert await run_for(charger, 1) == 0
        return loop.time()

    assert run(main()) == pytest.approx(1 + assembly_file.STOP_LIMIT_S, abs=0.1)
    assert stops(runtime) == ["evse", "bsp"]


def test_a_second_signal_hurries(run: Run, runtime: Runtime) -> None:
    async def main() -> float:
        plans = [plan("bsp", hang_on_stop=True), plan("evse", "bsp", hang_on_stop=True)]
        charger = Supervisor(plans, runtime)
        running = asyncio.ensure_future(charger.run())
        await asyncio.sleep(1)
        charger.request_stop("SIGTERM")
        await asyncio.sleep(0.5)
        charger.request_stop("SIGTERM")
        await running
        return asyncio.get_running_loop().time()

    assert run(main()) <= 1.5 + 2 * assembly_file.HURRY_LIMIT_S + 0.1
    assert stops(runtime) == ["evse", "bsp"]


def test_a_failing_module_stops_its_group_safe_state_first_and_it_starts_again(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        await run_for(Supervisor([plan("bsp"), plan("evse", "bsp", crash_after_s=2.0)], runtime), 4.5)

    run(main())
    assert journal(runtime)[:6] == ["bsp init", "evse init", "bsp ready", "evse ready", "evse stop", "bsp stop"]
    assert journal(runtime)[6:8] == ["bsp init", "evse init"]
    traces = list((runtime.root.state / "var/lib/secc/traces").iterdir())
    assert len(traces) == 1 and traces[0].name.endswith("evse.cbor")


@pytest.mark.parametrize("where", ["init", "ready"])
def test_a_module_that_fails_while_starting_is_stopped_with_the_others(run: Run, runtime: Runtime, where: str) -> None:
    async def main() -> None:
        await run_for(Supervisor([plan("bsp"), plan("evse", fail_in=where), plan("late")], runtime), 0.5)

    run(main())
    assert "evse stop" in journal(runtime) and "bsp stop" in journal(runtime)
    assert ("late init" in journal(runtime)) is (where == "ready")


def test_pauses_grow_and_are_short_again_after_a_good_run() -> None:
    pauses = Backoff(PAUSES_S, STEADY_S)
    assert [pauses.fail(1.0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pauses.fail(STEADY_S) == 1
    assert pauses.fail(1.0) == 2


def test_only_so_many_traces_are_kept(run: Run, runtime: Runtime) -> None:
    async def main() -> None:
        await run_for(Supervisor([plan("evse", crash_after_s=0.5)], runtime), 900)

    run(main())
    assert len(list((runtime.root.state / "var/lib/secc/traces").iterdir())) == recording.KEPT


def test_a_trace_that_cannot_be_saved_does_not_keep_it_from_starting_again(run: Run, runtime: Runtime) -> None:
    (runtime.root.state / "var").write_text("a file where a folder should be")

    async def main() -> None:
        await run_for(Supervisor([plan("evse", crash_after_s=0.5)], runtime), 2)

    run(main())
    assert journal(runtime).count("evse init") == 2


def test_a_module_that_never_becomes_ready_is_named(run: Run, runtime: Runtime) -> None:
    class Slow(Journal):
        async def ready(self) -> None:
            await asyncio.sleep(3600)

    async def main() -> None:
        charger = Supervisor([plan("slow", cls=Slow)], runtime)
        failures: list[Any] = []
        charger._log_failure = failures.append  # type: ignore[method-assign,assignment]
        await run_for(charger, supervisor_file.START_LIMIT_S + 0.5)
        assert [(one.module_id, str(one.error)) for one in failures] == [("slow", "it is not ready after 60 s")]

    run(main())


def test_a_stop_while_starting_is_heard(run: Run, runtime: Runtime) -> None:
    class Slow(Journal):
        async def ready(self) -> None:
            await asyncio.sleep(3600)

    async def main() -> float:
        assert await run_for(Supervisor([plan("bsp"), plan("slow", cls=Slow)], runtime), 1) == 0
        return asyncio.get_running_loop().time()

    assert run(main()) < 2
    assert stops(runtime) == ["slow", "bsp"]


@pytest.mark.parametrize("reaction", [RuntimeError("on the way out"), asyncio.CancelledError()])
def test_a_module_that_takes_being_cancelled_badly_does_not_matter(
    run: Run, runtime: Runtime, reaction: BaseException
) -> None:
    class Stubborn(Journal):
        async def ready(self) -> None:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                raise reaction from None

    async def main() -> None:
        assert await run_for(Supervisor([plan("bsp"), plan("stubborn", cls=Stubborn)], runtime), 1) == 0

    run(main())
    assert stops(runtime) == ["stubborn", "bsp"]


def test_a_wrong_configuration_found_by_a_module_ends_the_process_safe_state_first(run: Run, runtime: Runtime) -> None:
    class Picky(Journal):
        async def init(self) -> None:
            raise ConfigError([Finding("module picky", "no")])

    async def main() -> None:
        with pytest.raises(ConfigError):
            await Supervisor([plan("bsp"), plan("picky", cls=Picky)], runtime).run()

    run(main())
    assert "bsp stop" in journal(runtime)


def test_a_wrong_configuration_found_while_running_is_final_too(
    run: Run, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """Starting again does not mend a file."""

    class Late(Journal):
        async def ready(self) -> None:
            self.spawn(self.find_out(), "find out")

        async def find_out(self) -> None:
            await asyncio.sleep(1)
            raise ConfigError([Finding("module late", "no")])

    async def main() -> None:
        with pytest.raises(ConfigError, match="module late"):
            await Supervisor([plan("bsp"), plan("late", cls=Late)], runtime).run()

    run(main())
    assert stops(runtime) == ["late", "bsp"]
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert [record.getMessage() for record in errors] == ["late cannot use its configuration: safe state, then the end"]
    assert errors[0].exc_info is None


def test_what_a_module_has_against_its_plan_stops_the_start_before_anything_starts(run: Run, runtime: Runtime) -> None:
    class Picky(Journal):
        @classmethod
        def config_issues(cls, config: Any, ends: Any) -> Iterable[ConfigIssue]:
            for end in ends["above"]:
                yield ConfigIssue("above", f"not with {end.module_id}", "go without")

    async def main() -> None:
        with pytest.raises(ConfigError, match=r"picky\.above: error: not with bsp \(go without\)"):
            await Supervisor([plan("bsp"), plan("picky", "bsp", cls=Picky)], runtime).run()

    run(main())
    assert not runtime.root.read("/journal").exists()


def test_a_callback_that_nobody_guards_brings_the_group_down(run: Run, runtime: Runtime) -> None:
    class Sloppy(Journal):
        async def ready(self) -> None:
            self.note("ready")
            asyncio.get_running_loop().call_later(1, self.oops)

        def oops(self) -> None:
            raise RuntimeError("on purpose")

    async def main() -> None:
        await run_for(Supervisor([plan("sloppy", cls=Sloppy)], runtime), 1.5)

    run(main())
    assert stops(runtime) == ["sloppy"]


def test_nothing_is_left_behind(run: Run, runtime: Runtime) -> None:
    async def main() -> set[str]:
        charger = Supervisor([plan("bsp"), plan("evse", "bsp", crash_after_s=0.5)], runtime)
        await run_for(charger, 20)
        return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}

    assert run(main()) == set()


def test_the_black_box_hears_facts(run: Run, runtime: Runtime) -> None:
    class Speaks(Journal):
        async def ready(self) -> None:
            self.out.litres.publish(3.0)

    async def main() -> None:
        await run_for(Supervisor([plan("tank", cls=Speaks)], runtime), 1)

    run(main())
    assert [entry[1:] for entry in runtime.trace.entries()] == [("var", "tank.out.litres", 3.0)]


def test_the_process_knows_its_age() -> None:
    from chargebyte_fw.manager.process import age_s

    assert 0 < age_s() < 3600


def test_systemd_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    from chargebyte_fw.manager.process import notify_systemd

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        notify_systemd("READY=1")
        assert listener.recv(100) == b"READY=1"
    notify_systemd("READY=1")
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify_systemd("READY=1")


def test_where_no_lock_can_be_made_it_runs_all_the_same(
    run: Run, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    runtime.root.state.joinpath("run").write_text("no folder")

    async def main() -> None:
        assert await run_for(Supervisor([plan("bsp")], runtime), 1) == 0

    run(main())
    assert any("whether another charger runs here" in record.getMessage() for record in caplog.records)


def test_what_a_module_left_out_at_its_start_is_a_fault_that_blocks_nothing(run: Run, runtime: Runtime) -> None:
    class Forgetful(Journal):
        async def init(self) -> None:
            self.set_aside += ["info.yaml: cannot be read: No such file", *(f"line {number}" for number in range(50))]

    async def main() -> None:
        charger = Supervisor(
            [ModulePlan("pump", Pump, Pump.Config(power_W=5)), plan("store", cls=Forgetful)], runtime, notices=["first"]
        )
        running = asyncio.ensure_future(charger.run())
        await asyncio.sleep(1)
        faults = [fault for book in runtime.all_faults for fault in book.active]
        assert [fault.message for fault in faults[:2]] == ["first", "info.yaml: cannot be read: No such file"]
        assert {(fault.type, fault.severity) for fault in faults} == {("generic/VendorWarning", Severity.Low)}
        assert len(faults) == supervisor_file.NOTICES_LIMIT
        charger.request_stop()
        await running

    run(main())
