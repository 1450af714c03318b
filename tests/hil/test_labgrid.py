"""A bench's outlets, relays and console behind the real labgrid: `script/rig-test` installs it and runs these.

labgrid brings a fork of pyserial that takes the place of the real one, so it gets an environment of its own.
"""

from __future__ import annotations

import asyncio
import importlib
from pathlib import Path

import pytest

from chargebyte_fw.kernel.errors import Unavailable
from hil.drivers.labgrid_rig import Labgrid, LabgridConsole, LabgridPower, LabgridSafety
from tests.hil.test_bench import part, stage, until

pytestmark = pytest.mark.rig


def test_the_worked_example_is_an_environment_that_labgrid_takes() -> None:
    async def main() -> None:
        options = part("target").options
        there = [one for one in options.drivers if "SerialDriver" not in one]  # needs its port at once
        target = Labgrid("target", Labgrid.Options(resources=options.resources, drivers=there), {})
        await target.activate(stage())
        await target.deactivate()

    asyncio.run(main())


def test_outlets_and_relays_are_switched_by_labgrid(tmp_path: Path) -> None:
    importlib.import_module("labgrid.driver.fake")  # registers the fakes
    for name in ("estop", "hot"):
        (tmp_path / name).write_text("0\n")

    async def main() -> None:
        options = Labgrid.Options(
            drivers=[
                {"FakePowerDriver": {"name": "board"}},
                {"FakeConsoleDriver": {"name": "console"}},
                {"FileDigitalOutputDriver": {"name": "relay 1", "filepath": str(tmp_path / "estop")}},
                {"FileDigitalOutputDriver": {"name": "relay 2", "filepath": str(tmp_path / "hot")}},
            ]
        )
        target, on = Labgrid("target", options, {}), stage()
        await target.activate(on)
        bound = {"labgrid": target}
        power = LabgridPower("Power", LabgridPower.Options(driver="board"), bound)
        outputs = {"estop": "relay 1", "hot_1": "relay 2"}
        safety = LabgridSafety("Safety", LabgridSafety.Options(outputs=outputs), bound)
        console = LabgridConsole("Console", LabgridConsole.Options(driver="console"), bound)
        for one in (power, safety, console):
            await one.activate(on)
        await power.switch(True)
        await safety.emergency_stop(True)
        assert (tmp_path / "estop").read_text() == "1\n"
        await safety.temperature(1, 94)
        assert (tmp_path / "hot").read_text() == "0\n"
        await safety.temperature(1, 95)
        assert (tmp_path / "hot").read_text() == "1\n"
        with pytest.raises(Unavailable, match="welded is not wired"):
            await safety.weld_contactor(True)
        fake = await target.driver("ConsoleProtocol", "console")
        fake.rxq.append(b"charger: ready\n")
        await until(lambda: console.lines == 1)
        assert on.recorder.marks[-1].text == "charger: ready"
        await safety.rest()
        assert (tmp_path / "estop").read_text() == (tmp_path / "hot").read_text() == "0\n"
        with pytest.raises(Unavailable, match="relay 9"):
            await target.set("relay 9", True)
        for bound_driver in (console, safety, power, target):
            await bound_driver.deactivate()

    asyncio.run(main())
