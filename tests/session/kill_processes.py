"""Kills and stops each process of a charging station in turn while a car charges; a line for each, 1 for a miss.

The station has process groups, a program of another vendor (its meter), and a CSMS, whose transactions have to be
whole. The broker is away for 20 s, with process groups and without. With the prefix of an EVerest that was built, its
programs in C++ serve in the place of modules of ours, and are killed, too.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.session.grouped_charger import ROOT, GroupedCharger
from tests.session.small_csms import SmallCsms, what_is_wrong

OFF_S = 0.5
"""Limit until power is off when the process that holds it is gone."""
BACK_S = 10.0
BROKER_AWAY_S = 20.0
PROGRAM = "ForeignSupply"
CONFIGURATION = "config-ac-ocpp201"
IN_CPP = (
    "Auth",
    "DummyTokenProvider",
    "EnergyManager",
    "ErrorHistory",
    "EvseSecurity",
    "PersistentStore",
    "YamlStore",
)
"""Modules of the configuration without which a car goes on charging."""
DRIVER = "EvseManager"
"""Drives the board: power goes off with it."""


class Trial:
    """One station after the other, and what was missed."""

    def __init__(self) -> None:
        self.missed = 0

    def line(self, what: str, found: str, *, good: bool) -> None:
        self.missed += not good
        print(f"{'ok    ' if good else 'MISSED'}  {what:<44}  {found}", flush=True)

    async def kill(self, charger: GroupedCharger, name: str, number: signal.Signals, *, power_off: bool) -> None:
        """Kill or stop one process; what must be off is off, what must not be stays on, and all is back."""
        opened = len(charger.opened_s)
        before = charger.processes()
        began_s = time.monotonic()
        charger.kill(name, number)
        back_s = await charger.until(lambda: self._is_back(charger, name, before[name]), BACK_S + 5)
        if power_off:
            await charger.until(lambda: len(charger.opened_s) > opened, 5)
            await charger.until(lambda: charger.pilot.contactors_closed, BACK_S)
            back_s = time.monotonic() - began_s
        offs_s = [at_s - began_s for at_s in charger.opened_s[opened:]]
        text = f"power off after {offs_s[0]:.2f} s, " if offs_s else "charging goes on, "
        good = (bool(offs_s) and offs_s[0] <= OFF_S) if power_off else not offs_s
        self.line(f"{number.name} of {name}", f"{text}all is back after {back_s:.1f} s", good=good and back_s <= BACK_S)
        await asyncio.sleep(2)

    @staticmethod
    def _is_back(charger: GroupedCharger, name: str, old: int) -> bool:
        groups = charger.status().get("groups", {})
        new = charger.processes().get(name, old)
        return new != old and bool(groups) and all(str(one).startswith("running") for one in groups.values())

    async def broker_away(self, charger: GroupedCharger, kind: str) -> None:
        """Stop the broker, unplug and plug in meanwhile, and start it again."""
        opened = len(charger.opened_s)
        charger.broker.kill()
        await asyncio.sleep(BROKER_AWAY_S / 2)
        stays = len(charger.opened_s) == opened
        charger.pilot.car_state = "B"
        await asyncio.sleep(1)
        charger.pilot.car_state = "A"
        await asyncio.sleep(BROKER_AWAY_S / 2 - 1)
        charger.broker.start()
        back_s = await charger.until(lambda: charger.status().get("on_broker") is True, BACK_S + 10)
        await charger.charge(30)
        self.line(f"broker away for {BROKER_AWAY_S:g} s, {kind}", f"found again after {back_s:.1f} s", good=stays)
        await asyncio.sleep(3)

    async def leave(self, charger: GroupedCharger, csms: SmallCsms, kind: str) -> None:
        """Unplug, and look at the transactions."""
        charger.pilot.car_state = "B"
        await asyncio.sleep(1)
        charger.pilot.car_state = "A"
        await asyncio.sleep(5)
        transactions = csms.transactions()
        wrong = {key: text for key, events in transactions.items() if (text := what_is_wrong(events))}
        self.line(
            f"transactions, {kind}", f"{len(transactions)} at the CSMS; not whole: {wrong or 'none'}", good=not wrong
        )


def built(prefix: Path, names: Iterable[str]) -> dict[str, Path]:
    """Return the programs of EVerest below a prefix that are there of these, by their names."""
    folders = {name: prefix / f"libexec/everest/modules/{name}" for name in names}
    return {name: folder for name, folder in folders.items() if (folder / name).exists()}


async def with_programs(trial: Trial, prefix: Path) -> None:
    """Kill programs in C++ that serve in the place of modules of ours, and what they are connected to."""
    if programs := built(prefix, IN_CPP):
        async with station(grouped=True, programs=programs) as (charger, csms):
            for name in programs:
                await trial.kill(charger, name, signal.SIGKILL, power_off=False)
            await trial.kill(charger, "cloud", signal.SIGKILL, power_off=False)
            await trial.kill(charger, "charge", signal.SIGKILL, power_off=True)
            await trial.leave(charger, csms, "with C++ programs")
    if driver := built(prefix, [DRIVER]):
        async with station(grouped=True, programs=driver) as (charger, csms):
            await trial.kill(charger, DRIVER, signal.SIGKILL, power_off=True)
            await trial.leave(charger, csms, f"with {DRIVER} in C++")


@asynccontextmanager
async def station(
    *, grouped: bool, programs: Mapping[str, Path] | None = None
) -> AsyncIterator[tuple[GroupedCharger, SmallCsms]]:
    """A station that charges a car, with programs of EVerest in the place of modules of ours."""
    programs = programs or {}
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as folder:
        root = Path(folder)
        csms = SmallCsms()
        await csms.start()
        chosen = [option for name in programs for option in ("--program", name)]
        charger = GroupedCharger(root, CONFIGURATION, *chosen, grouped=grouped)
        (root / "usr/libexec/everest/modules").mkdir(parents=True, exist_ok=True)
        for name, program in programs.items():
            (root / "usr/libexec/everest/modules" / name).symlink_to(program)
        (root / "usr/libexec/everest/modules" / PROGRAM).symlink_to(ROOT / "tests/manager/foreign" / PROGRAM)
        charger.configure(_with_a_program)
        charger.point_to(csms.port)
        os.environ["PYTHONPATH"] = str(ROOT / "chargebyte_fw/everestpy")
        try:
            await charger.start()
            await charger.until(lambda: csms.connections, 20)
            await charger.charge(20)
            await asyncio.sleep(1)
            yield charger, csms
        finally:
            await charger.stop()
            await csms.stop()


def _with_a_program(modules: dict[str, Any]) -> None:
    modules["meter"] = {"module": PROGRAM}
    connector = modules["connector"]
    connector["config_module"] |= {"fail_on_powermeter_errors": False, "external_ready_to_start_charging": True}
    connector["connections"] |= {
        "powermeter_grid_side": [{"module_id": "meter", "implementation_id": "powermeter"}],
        # What a loss of power leaves open is known from there.
        "store": [{"module_id": "persistent_store", "implementation_id": "main"}],
    }


async def main() -> int:
    """Run every trial; exit status 1 when something was missed."""
    trial = Trial()
    if len(sys.argv) > 1:
        prefix = Path(sys.argv[1]).resolve()
        if not built(prefix, (*IN_CPP, DRIVER)):
            print(
                f"{prefix}: there is none of {', '.join(IN_CPP)}, {DRIVER} in libexec/everest/modules", file=sys.stderr
            )
            return 2
        await with_programs(trial, prefix)
        return 1 if trial.missed else 0
    async with station(grouped=True) as (charger, csms):
        await trial.kill(charger, "cloud", signal.SIGKILL, power_off=False)
        await trial.kill(charger, "cloud", signal.SIGSTOP, power_off=False)
        await trial.kill(charger, PROGRAM, signal.SIGKILL, power_off=False)
        await trial.kill(charger, "charge", signal.SIGKILL, power_off=True)
        await trial.kill(charger, "charge", signal.SIGSTOP, power_off=True)
        charger.kill("starter")
        await trial.kill(charger, "cloud", signal.SIGKILL, power_off=False)
        await trial.broker_away(charger, "with process groups")
        opened = len(charger.opened_s)
        began_s = time.monotonic()
        charger.kill("manager")
        await charger.until(lambda: not charger.processes(), BACK_S)
        charger.start_charger()
        await charger.until(lambda: charger.runs("charge", "cloud") and charger.pilot.contactors_closed, 2 * BACK_S)
        off_s, back_s = charger.opened_s[opened] - began_s, time.monotonic() - began_s
        found = f"power off after {off_s:.2f} s, all is back after {back_s:.1f} s"
        trial.line("SIGKILL of manager", found, good=off_s <= OFF_S and back_s <= BACK_S)
        await asyncio.sleep(3)
        await trial.leave(charger, csms, "with process groups")
    async with station(grouped=False) as (charger, csms):
        await trial.broker_away(charger, "in one process")
        await trial.leave(charger, csms, "in one process")
    return 1 if trial.missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
