"""A program of somebody else joins: started, configured, called and watched as EVerest's manager would."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Unavailable
from chargebyte_fw.kernel.module import Module, ModuleConfig, requires
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager import watched_process
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.discovery import Found, Installed
from chargebyte_fw.manager.groups import fails_alone, groups_of
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.manager.wire import foreign
from chargebyte_fw.manager.wire.answers import Answers
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from tests.manager.broker import Mosquitto
from tests.manager.test_mqtt import until

PROGRAM = Path(__file__).parent / "foreign" / "ForeignMonitor"
CONFIG = """\
active_modules:
  user:
    module: Using
    connections: {{imd: [{{module_id: imd, implementation_id: main}}]}}
  imd:
    module: ForeignMonitor
    config_module: {{mode: {mode}{more}}}
    mapping: {{module: {{evse: 1}}}}
"""


class Using(Module):
    """Uses the monitor."""

    imd = requires(IsolationMonitor)

    async def init(self) -> None:
        self.measured: list[float] = []
        self.tested: list[bool] = []
        self.imd.isolation_measurement.subscribe(lambda value: self.measured.append(value.resistance_F_Ohm))
        self.imd.self_test_result.subscribe(self.tested.append)

    async def ready(self) -> None:
        # Called while everybody else becomes ready: the program must have heard of it by now.
        await self.imd.start_self_test(500.0)


def plans_of(tmp_path: Path, mode: str = "no", more: str = ", resistance: 5000") -> list[ModulePlan]:
    installed = Installed(
        [
            Found("ForeignMonitor", str(PROGRAM), str(PROGRAM), PROGRAM),
            Found("Using", "tests 1.0", f"{__name__}:Using"),
        ]
    )
    (tmp_path / "c.yaml").write_text(CONFIG.format(mode=mode, more=more))
    configuration = load(tmp_path / "c.yaml", Root(tmp_path, tmp_path), environment={}, installed=installed)
    assert [str(finding) for finding in configuration.findings] == []
    return configuration.plans


def assembly_of(tmp_path: Path, runtime: Runtime, mode: str = "no", more: str = ", resistance: 5000") -> Assembly:
    assembly = Assembly(runtime)
    assembly.build(plans_of(tmp_path, mode, more))
    return assembly


def with_program(
    broker: Mosquitto,
    tmp_path: Path,
    runtime: Runtime,
    test: Callable[[Assembly, Any], Awaitable[None]],
    mode: str = "no",
) -> None:
    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", broker.port))
        wire = Publisher(Carrier(client, "everest/"))
        client.start()
        assembly = assembly_of(tmp_path, runtime, mode)
        wire.join(assembly)
        try:
            await assembly.start(wire.announce_ready)
            await test(assembly, assembly.modules["user"])
        finally:
            await assembly.stop()
            wire.leave()
            await client.stop()

    run_loop(main())


def test_commands_variables_and_errors_cross_the_broker(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    async def test(assembly: Assembly, user: Any) -> None:
        await until(lambda: user.tested == [True])
        await user.imd.start()
        await until(lambda: len(user.measured) >= 2)
        assert set(user.measured) == {5000.0}
        with pytest.raises(CommandError, match="HandlerException: too high"):
            await user.imd.start_self_test(test_voltage_V=2000.0)
        await until(lambda: bool(user.imd.faults.active))
        fault = user.imd.faults.active[0]
        assert (fault.type, fault.vendor_id, fault.uuid) == ("isolation_monitor/DeviceFault", "stranger", "u-1")
        await user.imd.stop()
        await until(lambda: not user.imd.faults.active)

    with_program(mosquitto, tmp_path, runtime, test)


def test_a_program_that_ends_fails_what_was_asked_of_it(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    async def test(assembly: Assembly, user: Any) -> None:
        call = asyncio.ensure_future(user.imd.start())
        error = await asyncio.wait_for(assembly.modules["imd"].failed, 10)
        assert isinstance(error, Unavailable)
        assert str(error) == "the program ForeignMonitor has ended (status 3)"
        await assembly.stop()
        with pytest.raises(CommandError, match="Shutdown"):
            await call

    with_program(mosquitto, tmp_path, runtime, test, mode="die")


def test_a_program_that_breaks_its_contract_without_end_is_a_few_lines_and_a_count(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(assembly: Assembly, user: Any) -> None:
        program: Any = assembly.modules["imd"]
        for number in range(100):
            program._on_answer(f"topic/{number}", b"{")
        told = [record for record in caplog.records if record.name == "secc.imd" and record.levelno == logging.WARNING]
        assert len(told) == 5
        await assembly.stop()
        assert "95 more messages did not fit within 60 s" in [record.getMessage() for record in caplog.records]

    caplog.set_level(logging.INFO, "secc")
    with_program(mosquitto, tmp_path, runtime, test)


def test_a_program_ends_with_us(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    seen: list[Any] = []

    async def test(assembly: Assembly, user: Any) -> None:
        seen.append(assembly.modules["imd"]._process)  # type: ignore[attr-defined]

    with_program(mosquitto, tmp_path, runtime, test)
    assert seen[0].returncode is not None


def test_without_a_broker_a_program_cannot_be_used_and_says_what_to_change(tmp_path: Path, runtime: Runtime) -> None:
    async def main() -> None:
        with pytest.raises(ConfigError, match=r"needs a broker with the wire on.*\[C213\]"):
            await assembly_of(tmp_path, runtime).start()

    run_loop(main())


def test_a_module_may_ask_for_its_own_configuration_only(tmp_path: Path, runtime: Runtime) -> None:
    async def main() -> None:
        plans = {plan.id: plan for plan in assembly_of(tmp_path, runtime).plans}

        def ask(kind: str, **request: Any) -> Any:
            return Answers(plans).get("imd", {"type": kind, **request})

        own = {"module_id": "imd", "configuration_parameter_name": "resistance"}
        assert ask("Value", identifier=own)["response"]["data"]["value"] == 5000.0
        plans = {plan.id: plan for plan in assembly_of(tmp_path, runtime, more="").plans}
        default = ask("Value", identifier=own)["response"]["data"]["value"]
        assert default == 900000.0 and isinstance(default, float)
        assert ask("Value", identifier={**own, "module_id": "user"})["status"] == "AccessDenied"
        assert ask("Value", identifier={**own, "configuration_parameter_name": "x"})["status"] == "Error"
        assert ask("AllMappings")["response"]["data"] == {"imd": {"module": {"evse": 1}}}
        assert list(ask("All")["response"]["data"]) == ["imd"]
        assert ask("Nonsense")["status"] == "Error"

    run_loop(main())


CHARGER = """
import sys
from pathlib import Path

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.supervisor import Supervisor
from chargebyte_fw.manager.groups import groups_of
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.publisher import Publisher
from tests.manager.test_foreign import plans_of

root = Path(sys.argv[1])


async def main():
    client = MqttClient(BrokerAddress("127.0.0.1", int(sys.argv[2])))
    wire = Publisher(Carrier(client, "everest/"))
    await Supervisor(plans_of(root), Runtime(root=Root(root, root)), client, wire).run()


clock.run(main())
"""


def programs(name: str, parent: int | None = None) -> set[int]:
    """The processes that run a module of this name; with `parent` its children alone: other tests run it as well."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if any(word.endswith(f"{name}/module.py".encode()) for word in words):
                    of = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if parent in (None, of):
                        found.add(int(entry.name))
    return found


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_a_program_ends_with_the_charger_however_the_charger_ends(
    mosquitto: Mosquitto, tmp_path: Path, end: signal.Signals
) -> None:
    command = [sys.executable, "-c", CHARGER, str(tmp_path), str(mosquitto.port)]
    with subprocess.Popen(command, cwd=Path(__file__).parents[2]) as charger:
        give_up_at = time.monotonic() + 30
        standing = tmp_path / "run/everest/standing.json"
        while not (standing.exists() and b'"ready":true' in standing.read_bytes()):
            assert charger.poll() is None and time.monotonic() < give_up_at
            time.sleep(0.05)
        started = programs("ForeignMonitor", charger.pid)
        assert len(started) == 1
        charger.send_signal(end)
        charger.wait(20)
    give_up_at = time.monotonic() + 10
    while started & programs("ForeignMonitor"):
        if time.monotonic() > give_up_at:
            for pid in started:
                os.kill(pid, signal.SIGKILL)
            pytest.fail("the program outlives the charger")
        time.sleep(0.05)


def test_a_second_program_with_one_id_is_noticed(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(assembly: Assembly, user: Any) -> None:
        carrier: Any = assembly.modules["imd"].carrier  # type: ignore[attr-defined]
        data = {"type": "Get", "origin": "imd", "request": {"type": "Module"}}
        request = json.dumps({"msg_type": "ConfigurationRequest", "data": data}).encode()
        carrier.client.publish("everest/config/request", request)
        line = "a second program with the id imd asks for its configuration"
        await until(lambda: line in [record.getMessage() for record in caplog.records])

    with_program(mosquitto, tmp_path, runtime, test)


def test_only_a_program_of_the_configuration_commands(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    """Whose name is not in the configuration gets an error; the program itself is served."""

    async def test(assembly: Assembly, user: Any) -> None:
        carrier: Any = assembly.modules["imd"].carrier  # type: ignore[attr-defined]
        answers: list[Any] = []
        at = "everest/modules/user/impl/none/cmd/go"
        for origin in ("imd", "stranger"):
            carrier.client.subscribe(f"{at}/response/{origin}", lambda _t, payload: answers.append(json.loads(payload)))
        await asyncio.sleep(0.2)
        for origin in ("imd", "stranger"):
            call = {"id": origin, "origin": origin, "args": {}}
            carrier.client.publish(at, json.dumps({"msg_type": "Cmd", "data": call}).encode())
        await until(lambda: len(answers) == 2)
        told = {one["data"]["data"]["id"]: one["data"]["data"]["error"] for one in answers}
        assert told["imd"]["__everest__error_type"] == "MessageParsingError"
        assert told["stranger"]["__everest__error_msg"] == "commands over MQTT are not taken from stranger"

    with_program(mosquitto, tmp_path, runtime, test)


class Watching(Using):
    """Uses the monitor, and belongs to those without whom a car charges."""

    group = "cloud"

    async def ready(self) -> None:
        await self.imd.start()


class Idle(Using):
    """Uses the monitor, and nothing of it at once."""

    async def ready(self) -> None:
        pass


class Charging(Module):
    """Must not notice anything."""

    stops = 0

    async def stop(self) -> None:
        self.stops += 1


def groups_in(tmp_path: Path, *modules: tuple[str, type[Module], str]) -> dict[str, str]:
    """Return the groups of modules, each with its id, its class and whose `main` it requires."""
    plans = [
        ModulePlan(module_id, cls, ModuleConfig(), {}, {"imd": [Connection(whose, "main")]} if whose else {})
        for module_id, cls, whose in modules
    ]
    return groups_of(plans)


def test_a_program_belongs_to_charge_when_charge_requires_it(tmp_path: Path) -> None:
    program = plans_of(tmp_path)[1].module
    assert groups_in(tmp_path, ("user", Using, "imd"), ("imd", program, "")) == {"user": "charge", "imd": "charge"}
    assert groups_in(tmp_path, ("user", Watching, "imd"), ("imd", program, ""))["imd"] == "cloud"
    assert groups_in(tmp_path, ("imd", program, ""), ("other", Charging, "")) == {"imd": "cloud", "other": "charge"}
    chain = groups_in(tmp_path, ("c", program, ""), ("b", program, "c"), ("a", program, "b"), ("user", Using, "a"))
    assert chain == dict.fromkeys("abc", "charge") | {"user": "charge"}
    # What a module of ours declares holds, whoever requires it.
    assert groups_in(tmp_path, ("user", Using, "watching"), ("watching", Watching, ""))["watching"] == "cloud"


class Driving(Using):
    """Not of this process: it drives the monitor."""

    is_program = True


def test_a_program_fails_alone_unless_it_drives_something(tmp_path: Path) -> None:
    program = plans_of(tmp_path)[1].module
    ends = {"imd": [Connection("imd", "main")]}
    user = ModulePlan("user", Using, ModuleConfig(), {}, ends)
    imd = ModulePlan("imd", program, ModuleConfig())
    assert fails_alone([user, imd], groups_of([user, imd])) == {"imd"}
    # `isolation_monitor` has one user: without it nothing would stop the monitor, or a supply.
    driving = ModulePlan("driving", Driving, ModuleConfig(), {}, ends)
    after = ModulePlan("after", Needing, ModuleConfig(), {}, {"of": [Connection("driving", "main")]})
    groups = groups_of([after, driving, imd])
    assert groups == {"after": "charge", "driving": "charge", "imd": "charge"}
    assert fails_alone([after, driving, imd], groups) == {"imd"}


class Needing(Module):
    """Requires something of a program."""

    of = requires(IsolationMonitor)


@pytest.mark.parametrize("kind", [Watching, Using], ids=["cloud", "charge"])
def test_a_program_that_is_killed_is_started_again_alone(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime, kind: type[Using]
) -> None:
    user, imd = plans_of(tmp_path)
    plans = [ModulePlan("charging", Charging, Charging.Config()), msgspec.structs.replace(user, module=kind), imd]

    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        supervisor = Supervisor(plans, runtime, client, Publisher(Carrier(client, "everest/")))
        running = asyncio.ensure_future(supervisor.run())
        await until(lambda: supervisor.status_file.now.ready or running.done(), 20)
        assert supervisor.assembly is not None
        modules: Any = supervisor.assembly.modules
        charging, using = modules["charging"], modules["user"]
        published: list[Any] = []
        client.subscribe("everest/modules/imd/impl/main/error/#", lambda _t, text: published.append(json.loads(text)))
        await using.imd.start()
        await until(lambda: bool(using.measured))
        (killed,) = programs("ForeignMonitor", os.getpid())
        os.kill(killed, signal.SIGKILL)
        await until(lambda: modules["imd"].away)
        with pytest.raises(CommandError, match="NotReady: imd has failed"):
            await using.imd.start()
        # Who uses it is notified as by itself, in other processes, too; an insulation monitor is of the power path.
        (absent,) = using.imd.faults.active
        assert (absent.type, absent.sub_type) == ("isolation_monitor/CommunicationFault", "Absent")
        assert absent.severity == "High" and absent.origin.module_id == "imd"
        await until(lambda: [one["msg_type"] for one in published] == ["RaiseError"])
        faults = supervisor.assembly.failures["imd"]
        assert "has ended (status -9)" in faults.active[0].message
        began_s = time.monotonic()
        await until(lambda: not faults.active, 10)
        assert time.monotonic() - began_s < 10
        assert not using.imd.faults.active
        await until(lambda: [one["msg_type"] for one in published] == ["RaiseError", "ClearError"])
        (again,) = programs("ForeignMonitor", os.getpid())
        assert again != killed
        using.measured.clear()
        # The program asserts that the others' being ready was announced to it.
        await using.imd.start()
        await until(lambda: set(using.measured) == {5000.0})
        assert modules["user"] is using and charging.stops == 0 and not charging.stopped
        supervisor.request_stop()
        assert await running == 0
        assert charging.stops == 1 and not programs("ForeignMonitor", os.getpid())

    run_loop(main())


def test_everests_own_way_starts_all_again(mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime) -> None:
    user, imd = plans_of(tmp_path)
    plans = [ModulePlan("charging", Charging, Charging.Config()), msgspec.structs.replace(user, module=Watching), imd]

    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        wire = Publisher(Carrier(client, "everest/"))
        supervisor = Supervisor(plans, runtime, client, wire, together=True)
        running = asyncio.ensure_future(supervisor.run())
        await until(lambda: supervisor.status_file.now.ready, 20)
        first = supervisor.assembly
        assert first is not None
        (program,) = programs("ForeignMonitor", os.getpid())
        os.kill(program, signal.SIGKILL)
        await until(lambda: supervisor.status_file.now.ready and supervisor.assembly not in (None, first), 20)
        charging: Any = first.modules["charging"]
        assert charging.stops == 1
        supervisor.request_stop()
        assert await running == 0

    run_loop(main())


def test_a_program_that_does_not_start_keeps_no_other_from_it(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime
) -> None:
    user, imd = plans_of(tmp_path)
    broken = tmp_path / "Broken"
    broken.mkdir()
    (broken / "module.py").write_text("raise SystemExit(5)\n")
    (broken / "manifest.yaml").write_text((PROGRAM / "manifest.yaml").read_text())
    program = Found("Broken", str(broken), str(broken), broken).load()
    plans = [
        ModulePlan("charging", Charging, Charging.Config()),
        msgspec.structs.replace(user, module=Idle),
        msgspec.structs.replace(imd, module=program),
    ]

    async def main() -> None:
        client = MqttClient(BrokerAddress("127.0.0.1", mosquitto.port))
        supervisor = Supervisor(plans, runtime, client, Publisher(Carrier(client, "everest/")))
        running = asyncio.ensure_future(supervisor.run())
        await until(lambda: supervisor.status_file.now.ready or running.done(), 20)
        assert supervisor.assembly is not None
        modules: Any = supervisor.assembly.modules
        (absent,) = modules["user"].imd.faults.active
        assert absent.sub_type == "Absent" and absent.severity == "High"
        faults = supervisor.assembly.failures["imd"]
        await until(lambda: bool(faults.active), 5)
        assert "has ended (status 5)" in faults.active[0].message
        assert modules["charging"].stops == 0
        supervisor.request_stop()
        assert await running == 0

    run_loop(main())


def test_a_program_that_has_sent_a_heartbeat_and_sends_no_more_hangs(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "HEARTBEAT_LIMIT_S", 0.2)

    async def test(assembly: Assembly, user: Any) -> None:
        program: Any = assembly.modules["imd"]
        await asyncio.sleep(0.5)
        assert not program.failed.done(), "none is expected of a program that sends none"
        for _ in range(5):
            program.carrier.client.publish("everest/modules/imd/heartbeat", b'{"msg_type":"Heartbeat","data":""}')
            await asyncio.sleep(0.1)
        error = await asyncio.wait_for(program.failed, 5)
        assert str(error) == "the program ForeignMonitor hangs: no heartbeat for 0.2 s"

    with_program(mosquitto, tmp_path, runtime, test)


def test_memory_beyond_its_bound_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_process, "LOOK_S", 0.01)

    async def main() -> None:
        text = await asyncio.wait_for(watched_process.exceeds(os.getpid(), 10), 5)
        assert text.startswith("it takes ") and text.endswith(" MB of memory, and may take 10 MB")
        waiting = asyncio.ensure_future(watched_process.exceeds(os.getpid(), 10**6))
        await asyncio.sleep(0.05)
        assert not waiting.done() and watched_process.memory_MB(2**22 + 1) == 0.0
        waiting.cancel()

    run_loop(main())


def test_a_process_that_a_signal_stops_is_noticed() -> None:
    async def main() -> None:
        process = await asyncio.create_subprocess_exec("sleep", "60")
        waiting = asyncio.ensure_future(watched_process.stopped(process.pid))
        await asyncio.sleep(0.15)
        assert not waiting.done() and not watched_process.is_stopped(2**22 + 1)
        process.send_signal(signal.SIGSTOP)
        await asyncio.wait_for(waiting, 2)
        process.kill()
        await process.wait()

    run_loop(main())


def test_what_is_driven_over_the_broker_is_absent_without_it(
    mosquitto: Mosquitto, tmp_path: Path, runtime: Runtime
) -> None:
    async def test(assembly: Assembly, user: Any) -> None:
        mosquitto.kill()
        await until(lambda: bool(user.imd.faults.active))
        (fault,) = user.imd.faults.active
        assert (fault.sub_type, fault.severity.value) == ("Absent", "High")
        assert fault.message == "the broker is away, over which imd is reached"

    with_program(mosquitto, tmp_path, runtime, test)
