"""Charger and car against each other over the virtual power line in memory: good and bad cables, several of each."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest

from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.slac.machine.ev import EvOptions, EvSlac
from chargebyte_fw.modules.slac.machine.ev import State as EvState
from chargebyte_fw.modules.slac.machine.events import EnterBcd, LeaveBcd, LinkUp, Reset, Send, TriggerMatching
from chargebyte_fw.modules.slac.machine.evse import EvseSlac
from chargebyte_fw.modules.slac.machine.modem import EvseOptions
from chargebyte_fw.modules.slac.machine.modem import State as EvseState
from chargebyte_fw.modules.slac.messages import decode
from chargebyte_fw.sim.modem import Make
from chargebyte_fw.sim.modem_bench import ModemBench
from chargebyte_fw.sim.modem_line import LineOptions
from tests.slac.cables import PERFECT, QUALITIES, BadEnd, Quality

Run = Callable[[Any], Any]


class World:
    """Chargers and cars on one power line, each with its modem."""

    def __init__(
        self,
        chargers: int = 1,
        cars: int = 1,
        quality: Quality = PERFECT,
        seed: int = 1,
        evse: EvseOptions | None = None,
        ev: EvOptions | None = None,
        make: Make = Make.QUALCOMM,
        line: LineOptions | None = None,
    ) -> None:
        self.errors: list[BaseException] = []
        self.effects: dict[str, list[Any]] = {}
        self.hosts: dict[str, Pump] = {}
        chance = random.Random(seed)
        ports: dict[str, Any] = {}
        machines: dict[str, Any] = {f"evse{n}": EvseSlac(evse) for n in range(chargers)}
        machines |= {f"ev{n}": EvSlac(ev, random.Random(seed * 100 + n)) for n in range(cars)}
        for number, name in enumerate(machines):
            host_end, modem_end = memory.wire(mac_a=bytes([2, 0, 0, 0, 0, number]))
            ports[name] = BadEnd(modem_end, quality, chance)
            self.effects[name] = []
            self.hosts[name] = self._host(name, machines[name], host_end)
        makes = dict.fromkeys(ports, make)
        options = line or LineOptions()
        self.bench = ModemBench(ports, self.errors.append, options=options, chance=chance, makes=makes)
        self.macs = {name: bytes([2, 0, 0, 0, 0, number]) for number, name in enumerate(machines)}
        for name, host in self.hosts.items():
            host.feed(LinkUp(self.macs[name]))

    def _host(self, name: str, machine: Any, end: memory.WireEnd) -> Pump:
        def act(effect: Any) -> None:
            self.effects[name].append(effect)
            if isinstance(effect, Send):
                end.send(effect.frame.encode())

        def receive(data: bytes) -> None:
            try:
                frame = decode(data)
            except PeerError:
                return
            pump.feed(frame)

        pump = Pump(machine, act, self.errors.append)
        end.receive = receive
        return pump

    def machine(self, name: str) -> Any:
        return self.hosts[name].machine

    async def until(self, wanted: Callable[[], bool], limit_s: float) -> bool:
        """Let time pass until something is the case."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + limit_s
        while not wanted():
            if loop.time() > until_s:
                return False
            await asyncio.sleep(0.01)
        return True

    def matched(self, evse: str = "evse0", ev: str = "ev0") -> bool:
        """Both believe in the match, with the same key."""
        charger, car = self.machine(evse), self.machine(ev)
        return (
            charger.state is EvseState.MATCHED
            and car.state is EvState.MATCHED
            and self.bench.line.modems[evse].nmk == self.bench.line.modems[ev].nmk
        )

    async def plug(self, evse: str = "evse0", ev: str = "ev0") -> None:
        """Plug a car in."""
        charger = self.machine(evse)
        assert await self.until(lambda: charger.state is EvseState.IDLE, 20.0)
        self.hosts[evse].feed(EnterBcd())
        self.hosts[ev].feed(TriggerMatching())

    def close(self) -> None:
        for host in self.hosts.values():
            host.close()
        self.bench.close()
        assert self.errors == []


@pytest.mark.parametrize("make", Make, ids=lambda make: make.value)
@pytest.mark.parametrize("detection", [False, True], ids=["at once", "when the link is up"])
def test_charger_and_car_match_and_share_a_link(run: Run, make: Make, detection: bool) -> None:
    async def main() -> None:
        options = EvOptions(wait_for_link=detection and make is Make.QUALCOMM)
        world = World(evse=EvseOptions(link_status_detection=detection), ev=options, make=make)
        await world.plug()
        assert await world.until(world.matched, 3.0)
        assert await world.until(lambda: world.bench.link_up("evse0") and world.bench.link_up("ev0"), 1.0)
        world.close()

    run(main())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("quality", QUALITIES.values(), ids=QUALITIES)
def test_on_bad_cables_they_match_within_the_standards_repetitions_or_both_know_that_not(
    run: Run, quality: Quality, seed: int
) -> None:
    """An EV repeats for ten seconds; if that was not enough, the error routine begins anew, as in a real charger."""

    async def main() -> None:
        line = LineOptions(join_s=0.3)
        world = World(
            quality=quality,
            seed=seed,
            evse=EvseOptions(link_status_detection=True),
            ev=EvOptions(wait_for_link=True),
            line=line,
        )
        attempts = 0
        await world.plug()
        while not await world.until(world.matched, 25.0):
            attempts += 1
            assert attempts < 4, "three E/F cycles are enough on any of these cables"
            world.hosts["evse0"].feed(LeaveBcd())
            world.hosts["evse0"].feed(Reset())
            world.hosts["ev0"].feed(Reset())
            await asyncio.sleep(4.0)
            await world.plug()
        assert await world.until(lambda: world.bench.link_up("evse0"), 2.0)
        world.close()

    run(main())


def test_the_car_takes_the_charger_it_hangs_on(run: Run) -> None:
    """Two chargers hear the car, one of them over its own cable."""

    async def main() -> None:
        world = World(chargers=2)
        world.bench.line.attenuations_dB[frozenset(("evse0", "ev0"))] = 50
        world.bench.line.attenuations_dB[frozenset(("evse1", "ev0"))] = 15
        assert await world.until(lambda: world.machine("evse0").state is EvseState.IDLE, 1.0)
        world.hosts["evse0"].feed(EnterBcd())
        await world.plug("evse1", "ev0")
        assert await world.until(lambda: world.matched("evse1", "ev0"), 5.0)
        assert world.machine("evse0").state is EvseState.MATCHING
        await asyncio.sleep(15.0)
        assert world.machine("evse0").state is EvseState.MATCHING, "it waits for its own car"
        world.close()

    run(main())


def test_two_cars_at_two_chargers_at_the_same_time_match_in_pairs(run: Run) -> None:
    async def main() -> None:
        world = World(chargers=2, cars=2, quality=Quality(late_s=0.005))
        for a, b in ((0, 1), (1, 0)):
            world.bench.line.attenuations_dB[frozenset((f"evse{a}", f"ev{b}"))] = 55
        await asyncio.gather(world.plug("evse0", "ev0"), world.plug("evse1", "ev1"))
        assert await world.until(lambda: world.matched("evse0", "ev0") and world.matched("evse1", "ev1"), 12.0)
        assert world.bench.line.modems["evse0"].nmk != world.bench.line.modems["evse1"].nmk
        world.close()

    run(main())


def test_a_wrong_key_brings_no_link_and_the_match_fails(run: Run) -> None:
    """debug_simulate_failed_matching."""

    async def main() -> None:
        options = EvseOptions(link_status_detection=True, simulate_failed_matching=True)
        world = World(evse=options, ev=EvOptions(wait_for_link=True, repetition_s=0.0))
        await world.plug()
        assert await world.until(lambda: world.machine("evse0").state is EvseState.FAILED, 15.0)
        assert await world.until(lambda: world.machine("ev0").state is EvState.UNMATCHED, 15.0)
        world.close()

    run(main())


def test_replugging_ten_times_matches_ten_times_with_ten_keys(run: Run) -> None:
    async def main() -> None:
        world = World()
        keys = set()
        for _ in range(10):
            await world.plug()
            assert await world.until(world.matched, 3.0)
            assert await world.until(lambda: world.bench.link_up("ev0"), 2.0)
            keys.add(world.bench.line.modems["evse0"].nmk)
            world.hosts["evse0"].feed(LeaveBcd())
            world.hosts["ev0"].feed(Reset())
            assert await world.until(lambda: not world.bench.link_up("ev0"), 1.0)
        assert len(keys) == 10
        world.close()

    run(main())


def test_a_modem_that_loses_its_power_is_noticed(run: Run) -> None:
    async def main() -> None:
        world = World(evse=EvseOptions(link_status_detection=True))
        await world.plug()
        assert await world.until(world.matched, 3.0)
        world.bench.power("ev0", False)
        assert not world.bench.link_up("evse0")
        await asyncio.sleep(1.5)
        names = [type(effect).__name__ for effect in world.effects["evse0"]]
        assert "RequestErrorRoutine" in names
        world.close()

    run(main())
