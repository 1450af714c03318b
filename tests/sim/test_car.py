"""The virtual car at a pilot and a power line: it draws what it may, finds its charger, and lets go when it must."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.slac import messages
from chargebyte_fw.modules.slac.machine import events
from chargebyte_fw.modules.slac.machine.evse import EvseSlac
from chargebyte_fw.sim.car import Car, CarWires
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.car_power import allowed_current_A
from chargebyte_fw.sim.modem_bench import ModemBench
from chargebyte_fw.sim.net import MemoryNet
from chargebyte_fw.sim.pilot import Pilot


def fail(error: BaseException) -> None:
    raise error


class Bay:
    """A parking bay: a pilot that the test drives, modems on a line, a network with nobody at the other end."""

    def __init__(self, model: Model) -> None:
        self.pilot = Pilot()
        self.pilot.drive_line(True, 100.0)
        self.charger_port, charger_modem = memory.wire(b"\x02\0\0\0\0\x01", b"\x02\0\0\0\0\x09")
        car_port, car_modem = memory.wire(b"\x02\0\0\0\0\x02", b"\x02\0\0\0\0\x0a")
        self.modems = ModemBench({"charger": charger_modem, "car": car_modem}, fail)
        self.charger, host = memory.link()
        self.reports: list[dict[str, Any]] = []
        wires = CarWires(self.pilot, car_port, MemoryNet(host))
        battery, settings = model.battery(), model.settings(car_port.mac)
        self.car = Car(wires, battery, settings, self.reports.append, fail, chance=random.Random(1))

    def steps(self) -> list[str]:
        return [report["step"] for report in self.reports if "step" in report]

    def messages(self) -> list[str]:
        return [report["message"] for report in self.reports if "message" in report]


@pytest.mark.parametrize(
    ("duty_percent", "current_A"),
    [(5, 0), (7.9, 0), (8, 6), (10, 6), (26.6, 15.96), (53.3, 31.98), (85, 51), (96, 80), (97, 80), (98, 0), (100, 0)],
)
def test_the_duty_cycle_says_how_much_an_ac_car_may_draw(duty_percent: float, current_A: float) -> None:
    """IEC 61851-1 table A.8."""
    assert allowed_current_A(duty_percent) == pytest.approx(current_A)


def test_a_basic_car_draws_what_the_duty_cycle_allows_while_the_contactors_are_closed(run: Any) -> None:
    async def main() -> None:
        bay = Bay(Model("basic", battery_kWh=10, soc_percent=50, target_soc_percent=55))
        bay.car.run(Model("basic", target_soc_percent=55).scripts().session)
        await asyncio.sleep(2)
        assert bay.pilot.letter == "B"
        bay.pilot.drive_line(True, 20.0)
        await asyncio.sleep(2)
        assert bay.pilot.letter == "C" and bay.car.inlet.power_W == 0
        bay.pilot.contactors_closed = True
        await asyncio.sleep(1)
        assert bay.car.inlet.current_A == pytest.approx(12.0) and bay.car.inlet.phases == 3
        bay.pilot.drive_line(True, 10.0)
        assert bay.car.inlet.current_A == pytest.approx(6.0)
        bay.pilot.contactors_closed = False
        assert bay.car.inlet.power_W == 0
        bay.pilot.contactors_closed = True
        bay.pilot.on_change.append(lambda: open_outside_c(bay.pilot))
        await bay.car.finished()
        assert bay.car.battery.soc_percent == pytest.approx(55, abs=0.1)
        assert bay.car.inlet.energy_Wh == pytest.approx(500, rel=0.02)
        assert bay.steps() == ["plugged in", "authorized", "charging", "stopped", "unplugged"]
        assert bay.pilot.letter == "A"
        bay.car.close()

    run(main())


def open_outside_c(pilot: Pilot) -> None:
    if pilot.letter != "C":
        pilot.contactors_closed = False


def test_the_car_finds_its_charger_over_the_power_line_and_leaves_its_network_when_unplugged(run: Any) -> None:
    async def main() -> None:
        bay = Bay(Model("iso2"))
        said: list[Any] = []
        evse = Pump(EvseSlac(), lambda effect: carry(effect, bay, said), fail)
        bay.charger_port.receive = lambda data: evse.feed(messages.decode(data))
        evse.feed(events.LinkUp(bay.charger_port.mac))
        await asyncio.sleep(1)
        bay.car.run("sleep 0.5;iso_wait_slac_matched;sleep 36000")
        await asyncio.sleep(1)
        evse.feed(events.EnterBcd())
        bay.pilot.drive_line(True, 5.0)
        await asyncio.sleep(5)
        assert bay.steps() == ["plugged in", "SLAC"]
        assert events.DlinkReady(True) in said
        await asyncio.sleep(1)
        assert bay.modems.link_up("car")
        bay.car.replace("unplug")
        await asyncio.sleep(1)
        assert not bay.modems.link_up("car")
        bay.car.close()
        evse.close()

    run(main())


def carry(effect: Any, bay: Bay, said: list[Any]) -> None:
    if isinstance(effect, events.Send):
        bay.charger_port.send(effect.frame.encode())
    else:
        said.append(effect)


def test_state_e_or_f_asks_a_waiting_car_for_a_new_match(run: Any) -> None:
    """ISO 15118-3 A.9.6: the charger's error routine."""

    async def main() -> None:
        bay = Bay(Model("iso2"))
        heard: list[bytes] = []
        bay.charger_port.receive = heard.append
        bay.car.run("iso_wait_slac_matched")
        bay.pilot.drive_line(True, 5.0)
        await asyncio.sleep(0.5)
        first = {messages.decode(frame).message for frame in heard}
        bay.pilot.drive_line(True, 0.0)
        await asyncio.sleep(4)
        heard.clear()
        await asyncio.sleep(2)
        assert heard == [], "no request without 5 %"
        bay.pilot.drive_line(True, 5.0)
        await asyncio.sleep(0.5)
        second = {messages.decode(frame).message for frame in heard}
        assert second and first.isdisjoint(second), "a new RunID"
        bay.car.close()

    run(main())


def test_a_car_without_a_charger_on_the_network_gives_up_and_says_why(run: Any) -> None:
    async def main() -> None:
        bay = Bay(Model("iso2"))
        bay.car.run("iso_start_v2g_session DC 86400 0;iso_wait_v2g_session_stopped;unplug")
        await bay.car.finished()
        failures = [report["failure"] for report in bay.reports if "failure" in report]
        assert len(failures) == 1 and failures[0]
        bay.car.close()

    run(main())


def test_a_closed_car_leaves_nothing_behind(run: Any) -> None:
    async def main() -> None:
        bay = Bay(Model("iso2"))
        bay.car.run(Model("iso2").scripts().session)
        bay.pilot.drive_line(True, 5.0)
        await asyncio.sleep(1)
        bay.car.close()
        assert bay.pilot.letter == "A"
        count = len(bay.reports)
        await asyncio.sleep(120)
        assert len(bay.reports) == count
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(main())
