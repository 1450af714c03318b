"""What was published while a process, or the broker, was away arrives once and in order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.interfaces.isolation_monitor import IsolationMonitor
from chargebyte_fw.contracts.types.isolation_monitor import IsolationMeasurement
from chargebyte_fw.kernel.clock import real_seconds
from chargebyte_fw.kernel.clock import run as run_loop
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, provides, requires
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.member import MemberPublisher
from chargebyte_fw.manager.mqtt.address import BrokerAddress
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.plan import Connection, ModulePlan
from chargebyte_fw.manager.wire.carrier import Carrier
from chargebyte_fw.manager.wire.catching_up import CatchingUp, Kept
from chargebyte_fw.manager.wire.remotes import Remotes, unseen
from tests.manager.broker import Mosquitto
from tests.manager.test_member import Monitor, MonitorConfig
from tests.manager.test_mqtt import until

FAULT = "isolation_monitor/DeviceFault"


class OurMonitor(Module):
    main = provides(Monitor, config=MonitorConfig)


class OurUser(Module):
    imd = requires(IsolationMonitor)

    async def init(self) -> None:
        self.measured: list[float] = []
        self.imd.isolation_measurement.subscribe(lambda value: self.measured.append(value.resistance_F_Ohm))


PLANS = [
    ModulePlan("imd", OurMonitor, OurMonitor.Config()),
    ModulePlan("user", OurUser, OurUser.Config(), {}, {"imd": [Connection("imd", "main")]}),
]


class Process:
    """What a group's process has of the wire."""

    def __init__(self, port: int, tmp_path: Path, name: str) -> None:
        self.client = MqttClient(BrokerAddress("127.0.0.1", port))
        self.carrier = Carrier(self.client, "everest/")
        self.plans = [plan for plan in PLANS if plan.id == name]
        runtime = Runtime(root=Root(tmp_path, tmp_path))
        self.remotes = Remotes(self.carrier, runtime, self.plans)
        self.assembly = Assembly(runtime, self.remotes.find)
        self.kept = Kept(self.carrier)
        self.publisher = MemberPublisher(self.carrier)

    async def start(self, since_s: float | None = None) -> Any:
        self.client.start()
        await self.carrier.online()
        self.remotes.declare(PLANS)
        self.assembly.build(self.plans)
        self.catching_up = CatchingUp(self.carrier, self.remotes, self.plans[0].id)
        self.catching_up.listen()
        self.remotes.listen()
        self.publisher.join(self.assembly)
        self.kept.begin(self.assembly, [("imd", "main")] if "imd" in self.assembly.modules else [])
        await self.assembly.start(self.publisher.announce_ready, lambda: self.catching_up.begin(since_s))
        return self.assembly.modules[self.plans[0].id]

    async def stop(self) -> None:
        await self.assembly.stop()
        self.kept.end()
        self.catching_up.end()
        self.publisher.leave()
        self.remotes.unlisten()
        await self.client.stop()


def measure(monitor: Any, *values: float) -> None:
    for value in values:
        monitor.main.isolation_measurement.publish(IsolationMeasurement(resistance_F_Ohm=value))


def test_who_is_started_later_gets_what_it_has_missed(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def main() -> None:
        provider = Process(mosquitto.port, tmp_path, "imd")
        monitor = await provider.start()
        measure(monitor, 1.0, 2.0)
        monitor.main.faults.raise_fault(FAULT, "broken")
        first = Process(mosquitto.port, tmp_path, "user")
        user = await first.start()
        await until(lambda: bool(user.measured))
        assert user.measured == [2.0], "the last value, as of a variable of this process"
        assert user.imd.faults.is_active(FAULT)
        taken: list[None] = []
        first.remotes.on_taken(lambda: taken.append(None))
        measure(monitor, 3.0)
        await until(lambda: user.measured[-1] == 3.0)
        assert len(taken) == 1
        since_s = real_seconds()
        await first.stop()
        measure(monitor, 4.0, 5.0)
        monitor.main.faults.clear(FAULT)
        again = Process(mosquitto.port, tmp_path, "user")
        user = await again.start(since_s)
        await until(lambda: len(user.measured) == 3)
        assert user.measured == [3.0, 4.0, 5.0] and not user.imd.faults.active
        await again.stop()
        await provider.stop()

    run_loop(main())


def test_a_broker_that_was_away_costs_no_value(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def main() -> None:
        provider, consumer = (Process(mosquitto.port, tmp_path, name) for name in ("imd", "user"))
        monitor, user = await provider.start(), await consumer.start()
        measure(monitor, 1.0)
        await until(lambda: user.measured == [1.0])
        mosquitto.kill()
        await until(lambda: not provider.client.online and not consumer.client.online)
        with pytest.raises(CommandError, match="NotReady"):
            await user.imd.start_self_test(500.0)
        measure(monitor, 2.0, 3.0)
        monitor.main.faults.raise_fault(FAULT, "broken")
        mosquitto.start()
        await until(lambda: len(user.measured) >= 3 and user.imd.faults.is_active(FAULT), 20)
        measure(monitor, 4.0)
        await until(lambda: user.measured[-1] == 4.0)
        assert user.measured == [1.0, 2.0, 3.0, 4.0]
        await consumer.stop()
        await provider.stop()

    run_loop(main())


def test_an_absent_module_refuses_at_once_and_a_fault_stands_in_its_place(mosquitto: Mosquitto, tmp_path: Path) -> None:
    async def main() -> None:
        consumer = Process(mosquitto.port, tmp_path, "user")
        user = await consumer.start()
        consumer.remotes.mark_absent("imd", "charge has failed")
        (fault,) = user.imd.faults.active
        assert (fault.sub_type, fault.message, fault.severity.value) == ("Absent", "charge has failed", "High")
        with pytest.raises(CommandError, match="NotReady"):
            await user.imd.start()
        consumer.remotes.mark_present(["imd", "stranger"])
        assert not user.imd.faults.active
        await consumer.stop()

    run_loop(main())


@pytest.mark.parametrize(
    ("seen", "offered", "fresh"),
    [
        ("", "ab", "ab"),
        ("ab", "b", ""),
        ("ab", "bc", "c"),
        ("abc", "bcd", "d"),
        ("ab", "cd", "cd"),
        ("aa", "aab", "b"),
        ("ab", "", ""),
    ],
)
def test_what_goes_on_from_what_was_seen(seen: str, offered: str, fresh: str) -> None:
    values = [one.encode() for one in offered]
    assert b"".join(unseen([one.encode() for one in seen], values)).decode() == fresh
