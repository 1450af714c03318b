"""An EVSE manager to which anything happens in any order, watched all the time, and what must hold meanwhile."""

from __future__ import annotations

import asyncio
import logging
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
    SessionEvent,
    StopTransactionReason,
    StopTransactionRequest,
)
from chargebyte_fw.contracts.types.power_supply_DC import Mode
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.evse.machine.facts import HlcLink, PlugIn, Session, Transaction
from tests.conftest import assembler
from tests.evse.world import World

WATCH_S = 0.05
GRACE_S = 0.35
"""A command is under way and a contactor moves."""
CLEAN_UP_S = 40.0
"""Longest way from the unplug to Idle: a meter that does not answer twice (10 s each), t_step, StoppingCharging."""
FAULTS = {
    "stop": ("bsp", "evse_board_support/MREC8EmergencyStop", Severity.High),
    "link": ("bsp", "evse_board_support/CommunicationFault", Severity.High),
    "contactor": ("bsp", "evse_board_support/MREC17EVSEContactorFault", Severity.High),
    "diode": ("bsp", "evse_board_support/DiodeFault", Severity.High),
    "pilot": ("bsp", "evse_board_support/MREC14PilotFault", Severity.Medium),
    "lock": ("lock", "connector_lock/ConnectorLockFailedLock", Severity.Medium),
    "meter": ("meter", "powermeter/CommunicationFault", Severity.Medium),
    "warning": ("bsp", "evse_board_support/MREC3HighTemperature", Severity.Low),
    "supply": ("supply", "power_supply_DC/OverTemperature", Severity.Medium),
    "imd": ("imd", "isolation_monitor/DeviceFault", Severity.High),
    "hlc": ("hlc", "generic/CommunicationFault", Severity.Medium),
}
LIVE = ("PrepareCharging", "Charging", "StoppingCharging", "SwitchPhases")
EV_ACTIONS = tuple(f"cp {state}" for state in "ABCDEF")
PEOPLE = (
    "authorize",
    "withdraw",
    "pause",
    "resume",
    "stop Remote",
    "stop EmergencyStop",
    "disable",
    "enable",
    "reserve",
    "cancel reservation",
    "unlock",
)
TROUBLE = (
    "fault stop",
    "fault pilot",
    "fault link",
    "fault contactor",
    "fault diode",
    "swap",
    "swap behind a lost link",
    "fault lock",
    "fault meter",
    "fault warning",
    "no fault",
    "limit 0",
    "limit 6",
    "limit full",
    "energy silent",
    "energy on",
    "meter silent",
    "meter on",
    "weld",
    "unweld",
)
AC_ONLY = ("charge", "phases 1", "phases 3")
HLC = (
    "match",
    "ask",
    "slac fails",
    "bcb",
    "fault hlc",
    *(f"publish {variable}" for variable in ("v2g_setup_finished", "dlink_terminate", "dlink_pause", "dlink_error")),
)
AC_HLC = ("publish ac_close_contactor", "publish ac_open_contactor")
DC_ONLY = (
    "charge",
    "to cable check",
    "ev stops",
    "parameters",
    *(
        f"publish {variable}"
        for variable in (
            "start_cable_check",
            "start_pre_charge",
            "current_demand_started",
            "current_demand_finished",
            "dc_open_contactor",
        )
    ),
    "target 400 2",
    "target 400 80",
    "insulation bad",
    "insulation good",
    "imd silent",
    "imd talks",
    "residual",
    "discharged",
    "fault supply",
    "fault imd",
)
ACTIONS = {
    "AC": EV_ACTIONS + PEOPLE + TROUBLE + AC_ONLY,
    "AC with HLC": EV_ACTIONS + PEOPLE + TROUBLE + AC_ONLY + HLC + AC_HLC,
    "DC": EV_ACTIONS + PEOPLE + TROUBLE + HLC + DC_ONLY,
}
"""Everything that may happen to an EVSE, by what it is."""
WAITS_S = (0.0, 0.05, 0.3, 1.0, 3.0, 6.0, 12.0, 35.0)
Step = tuple[str, float]


class Chance:
    """Carries steps out, and remembers what they did."""

    def __init__(self, world: World) -> None:
        self.w = world
        self.broken: list[str] = []
        self.since: dict[str, float] = {}
        self.energy_Wh = 0.0
        self.book = EventBook()
        self.car = 0
        self.paid_for: dict[str, set[int]] = {}
        """Which cars were connected to the power stage in which transaction."""

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    async def do(self, action: str) -> None:
        w = self.w
        name, _, rest = action.partition(" ")
        match name:
            case "cp":
                w.bsp.cp(rest)
            case "charge":
                await self.charge()
            case "to":
                await self.to_cable_check()
            case "ev":
                w.target(400.0, 0.0)
                await asyncio.sleep(0.5)
                w.bsp.cp("B")
                await asyncio.sleep(0.3)
                for said in ("current_demand_finished", "dc_open_contactor", "dlink_terminate"):
                    w.hlc.publish(said)
            case "authorize":
                await w.authorize()
            case "withdraw":
                await w.m.evse.withdraw_authorization()
            case "pause":
                await w.m.evse.pause_charging()
            case "resume":
                await w.m.evse.resume_charging()
            case "stop":
                await w.m.evse.stop_transaction(StopTransactionRequest(reason=StopTransactionReason(rest)))
            case "enable" | "disable":
                await w.m.evse.enable_disable(
                    1,
                    EnableDisableSource(
                        enable_source=EnableDisableSourceEnableSource.LocalAPI,
                        enable_state=EnableDisableSourceEnableState(name.capitalize()),
                        enable_priority=100,
                    ),
                )
            case "reserve":
                await w.m.evse.reserve(7)
            case "cancel":
                await w.m.evse.cancel_reservation()
            case "unlock":
                await w.m.evse.force_unlock(1)
            case "fault":
                who, kind, severity = FAULTS[rest]
                module: Any = w.assembly.modules[who]
                module.main.faults.raise_fault(kind, "chance", severity=severity)
            case "no":
                self.no_fault()
            case "limit":
                self.limit(None if rest == "full" else float(rest))
            case "energy":
                w.energy_on = rest == "on"
            case "meter":
                w.meter.answers = rest == "on"
            case "weld" | "unweld":
                w.bsp.welded = name == "weld"
                w.bsp._move()
            case "swap":
                await self.swap(lost_link=bool(rest))
            case "phases":
                await w.grant(phases=int(rest))
            case "match":
                w.slac.match()
            case "ask":
                w.ask_authorization()
            case "parameters":
                w.parameters()
            case "publish":
                w.hlc.publish(rest)
            case "slac":
                w.slac.main.request_error_routine.publish(None)
            case "target":
                voltage_V, current_A = rest.split()
                w.target(float(voltage_V), float(current_A))
            case "bcb":
                for _ in range(3):
                    w.bsp.cp("C")
                    await asyncio.sleep(0.3)
                    w.bsp.cp("B")
                    await asyncio.sleep(0.7)
            case "insulation":
                w.imd.resistance_Ohm = 900_000.0 if rest == "good" else 20_000.0
            case "imd":
                w.imd.silent = rest == "silent"
            case "residual":
                w.supply.residual_V = 200.0
            case "discharged":
                w.supply.residual_V = 0.0
            case _:
                raise AssertionError(action)

    async def swap(self, *, lost_link: bool) -> None:
        """Another EV comes while the plug is not seen, and names itself differently."""
        w = self.w
        if w.bsp._cp == "A" or w.pilot() == "F":
            return
        kind = FAULTS["link"][1]
        if lost_link:
            w.bsp.main.faults.raise_fault(kind, "chance")
            w.bsp.allow(False)
            w.bsp._cp = "B"
        else:
            w.bsp.cp("F")
        await asyncio.sleep(2.0)
        self.car += 1
        w.ev_mac = f"56:2F:33:97:B3:{self.car % 256:02X}"
        if lost_link:
            w.bsp.cp("B")
            w.bsp.main.faults.clear(kind)
        else:
            w.bsp.cp("B")

    def no_fault(self) -> None:
        for module in self.w.assembly.modules.values():
            if module is not self.w.m:
                module.main.faults.clear_all()  # type: ignore[attr-defined]

    def limit(self, value: float | None) -> None:
        w = self.w
        w.limits_A = 32.0 if value is None else value
        if w.dc:
            w.limits_W = 40_000.0 if value is None else value * 230.0 * 3

    async def charge(self) -> None:
        """What an EV does that only wants to charge."""
        w = self.w
        if not w.dc:
            w.bsp.cp("B")
            await asyncio.sleep(0.5)
            await w.authorize()
            await asyncio.sleep(1.0)
            w.bsp.cp("C")
            await asyncio.sleep(1.0)
            return
        await self.to_cable_check()
        for _ in range(200):
            await asyncio.sleep(0.1)
            if w.calls("hlc", "cable_check_finished")[-1:] == [(True,)]:
                break
        w.hlc.publish("start_pre_charge")
        w.target(400.0, 2.0)
        await asyncio.sleep(1.0)
        w.hlc.publish("v2g_setup_finished")
        w.hlc.publish("current_demand_started")
        w.target(400.0, 50.0)
        await asyncio.sleep(1.0)

    async def to_cable_check(self) -> None:
        w = self.w
        w.commands[:] = [seen for seen in w.commands if seen[2] != "cable_check_finished"]
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        w.slac.match()
        await asyncio.sleep(0.2)
        await w.authorize()
        w.ask_authorization()
        await asyncio.sleep(1.0)
        w.parameters()
        w.bsp.cp("C")
        await asyncio.sleep(0.1)
        w.hlc.publish("start_cable_check")

    # What must hold.

    async def watch(self) -> None:
        while True:
            self.energy_Wh += 0.01
            if self.w.bsp.closed:
                self.w.meter.read(self.energy_Wh)
            self.look()
            await asyncio.sleep(WATCH_S)

    def never(self, what: str, holds: bool, *, for_s: float = GRACE_S) -> None:
        """`what` may not last longer than `for_s`."""
        if not holds:
            self.since.pop(what, None)
            return
        since = self.since.setdefault(what, self.now())
        if self.now() - since > for_s + 1e-6 and what not in self.broken:
            self.broken.append(what)

    def look(self) -> None:
        w = self.w
        state, board = w.state, w.bsp
        if board.closed and not board.welded and self.book.transaction:
            self.paid_for.setdefault(self.book.session, set()).add(self.car)
        self.never("one transaction pays for two EVs", any(len(cars) > 1 for cars in self.paid_for.values()), for_s=-1)
        now = w.now
        fatal = bool(now.blocking_faults)
        closed = board.closed and not board.welded
        self.never("contactors are closed with a fault that blocks", closed and fatal)
        self.never("contactors may close while the EV is in A, B, E or F", board._allowed and board._cp not in "CD")
        self.never("contactors are closed outside a session that uses them", closed and state not in LIVE)
        self.never("contactors are closed without authorization", closed and not now.authorized and not w.dc, for_s=7.0)
        self.never("contactors are closed without transaction", closed and not now.transaction_active)
        self.never("no state F in Disabled", state == "Disabled" and w.pilot() != "F")
        empty = state == "Idle" and not now.plugged
        self.never("no state F in Idle with a fault", empty and fatal and w.pilot() != "F")
        self.never("state F hides the unplug in Idle", state == "Idle" and now.plugged and w.pilot() == "F")
        self.never("state F in Idle without a fault", state == "Idle" and not fatal and w.pilot() == "F")
        self.never("a session in Idle without an authorization", state == "Idle" and now.session and not now.authorized)
        self.never("a transaction in Idle", state in ("Idle", "Disabled") and now.transaction_active)
        self.never("Finished lasts without EV", state == "Finished" and board._cp == "A", for_s=25.0)
        self.never("Inoperative does not follow the faults", fatal is not w.m.evse.faults.is_active(INOPERATIVE))
        if w.dc:
            live = w.supply.mode is not Mode.Off
            self.never("the supply is on with open contactors", live and not board.closed)
            self.never("the supply is on with a fault that blocks", live and fatal)
            self.never("the supply is on outside charging", live and state not in LIVE)
            self.never("the supply is on while the EV is not in C", live and board._cp not in "CD")
        for name, module in w.assembly.modules.items():
            if module.failed is not None and module.failed.done():
                self.never(f"{name} failed: {module.failed.result()!r}", True, for_s=-1.0)

    # Afterwards.

    async def clean_up(self) -> None:
        """Everything is in order again and the EV leaves: the EVSE must come to rest, whatever was before."""
        w = self.w
        self.limit(None)
        w.energy_on = w.meter.answers = True
        w.bsp.welded = False
        self.no_fault()
        w.bsp.cp("A")
        await self.do("enable")
        if w.dc:
            w.imd.silent, w.imd.resistance_Ohm, w.supply.residual_V = False, 900_000.0, 0.0
        await w.m.evse.cancel_reservation()
        try:
            await w.until_state("Idle", CLEAN_UP_S)
        except AssertionError as error:
            self.broken.append(f"after the unplug: {error}")
        if w.now.session:
            await w.m.evse.withdraw_authorization()
        await asyncio.sleep(2.0)
        self.rest()

    def rest(self) -> None:
        w = self.w
        now, facts = w.now, w.charging.facts
        at_rest = {
            "a session": not now.session and now.session_id == "",
            "a transaction": not now.transaction_begun,
            "an authorization": not now.authorized,
            "closed contactors": not w.bsp.closed,
            "a permission to close": not w.bsp._allowed,
            "no X1": w.pilot() == "X1",
            "a fault": not w.m.evse.faults.active,
            "a kept session": w.store.values.get("evse_session", "") == "",
            "a locked connector": last(w, "lock") == "unlock",
            "a fact of the last plug-in": facts.plug_in == PlugIn(),
            "a fact of the last session": facts.session == Session(),
            "a fact of the last transaction": facts.transaction == Transaction(),
            "a fact of the last communication": replace(facts.link, matching_seen=False) == HlcLink(),
        }
        if w.dc:
            at_rest["a supply that is on"] = w.supply.mode is Mode.Off
            at_rest["an insulation monitor that runs"] = not w.imd.runs
        for what, good in at_rest.items():
            if not good:
                self.broken.append(f"at rest there is {what}")

    async def next_session(self) -> None:
        """The next EV charges, as if nothing had been."""
        w = self.w
        begun = len(w.events)
        await self.charge()
        try:
            await w.until_state("Charging", 30.0)
        except AssertionError as error:
            self.broken.append(f"the next session: {error}")
        w.bsp.cp("A")
        try:
            await w.until_state("Idle", CLEAN_UP_S)
        except AssertionError as error:
            self.broken.append(f"after the next session: {error}")
        names = [event.event.value for event in w.events[begun:]]
        if names[-1:] != ["SessionFinished"] or "TransactionFinished" not in names:
            self.broken.append(f"the next session reports {names}")


INOPERATIVE = "evse_manager/Inoperative"


class EventBook:
    """Session events come in an order that billing can rely on."""

    def __init__(self) -> None:
        self.session = ""
        self.transaction = False
        self.billed = False
        self.started_Wh = 0.0
        self.backwards_logged = False
        """The log has that the meter of the transaction that ends counted backwards."""
        self.wrong: list[str] = []

    def take(self, event: SessionEvent) -> None:
        name = event.event.value
        seen = f"{name} ({event.uuid or '-'}) in session {self.session or '-'}"
        if name in ("Enabled", "Disabled", "ReservationStart", "ReservationEnd", "PluginTimeout"):
            return
        if name == "SessionStarted":
            self._is(not self.session, seen)
            self.session, self.billed = event.uuid, False
            return
        self._is(event.uuid == self.session != "", seen)
        if name == "TransactionStarted":
            self._is(not self.transaction and not self.billed, seen)
            assert event.transaction_started is not None
            self.started_Wh = event.transaction_started.meter_value.energy_Wh_import.total
            self.transaction = True
        elif name == "TransactionFinished":
            self._is(self.transaction, seen)
            assert event.transaction_finished is not None
            ended_Wh = event.transaction_finished.meter_value.energy_Wh_import.total
            self._is(ended_Wh >= self.started_Wh or self.backwards_logged, seen)
            self.backwards_logged = False
            self.transaction, self.billed = False, True
        elif name in ("PrepareCharging", "ChargingStarted", "ChargingPausedEV", "ChargingPausedEVSE"):
            self._is(self.transaction, seen)
        elif name == "SessionFinished":
            self._is(not self.transaction, seen)
            self.session = ""

    def _is(self, right: bool, seen: str) -> None:
        if not right:
            self.wrong.append(seen)


def play(steps: list[Step], kind: str, *, trace: Callable[[str], None] | None = None, **config: Any) -> list[str]:
    """Do the steps, each with the time to wait after it; return everything that did not hold."""

    async def story() -> list[str]:
        before = asyncio.all_tasks()
        world = World(assembler(runtime), dc=kind == "DC", hlc=kind == "AC with HLC", **config)
        chance = Chance(world)
        world.m.evse.session_event.subscribe(chance.book.take)
        await world.start()
        watching = asyncio.create_task(chance.watch())
        try:
            for action, wait_s in steps:
                await chance.do(action)
                await asyncio.sleep(wait_s)
                if trace is not None:
                    trace(f"{chance.now():8.2f} {action:28} {world.state:22} {world.pilot()} {chance.broken}")
            await chance.clean_up()
            await chance.next_session()
        finally:
            watching.cancel()
        await world.assembly.stop()
        # What a module still does for a command (a silent meter) ends before, too.
        await asyncio.sleep(2000.0)
        left = asyncio.all_tasks() - before - {asyncio.current_task()}
        if left:
            chance.broken.append(f"tasks are left behind: {left}")
        return chance.broken + chance.book.wrong

    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(root=Root(Path(folder), Path(folder)))
        result: list[str] = clock.run(story(), speed=None)
        return result


def last(world: World, peer: str) -> str:
    """Return the last command that a module got."""
    return next((name for _, who, name, _ in reversed(world.commands) if who == peer), "")


def main() -> None:
    """Play many random stories of a kind; print what did not hold with the shortest story that shows it."""
    kind, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0
    logging.disable(logging.CRITICAL)
    shortest: dict[str, list[Step]] = {}
    for number in range(count):
        chance = random.Random(seed + number)
        length = chance.randint(1, 14)
        names = [chance.choice(ACTIONS[kind]) if chance.random() < 0.75 else "charge" for _ in range(length)]
        steps = [(name, chance.choice(WAITS_S)) for name in names]
        for what in play(steps, kind):
            if len(shortest.get(what[:60], [()] * 99)) > len(steps):
                shortest[what[:60]] = steps
    for what, steps in shortest.items():
        place = 0
        while place < len(steps):
            without = steps[:place] + steps[place + 1 :]
            if any(other[:60] == what for other in play(without, kind)):
                steps = without
            else:
                place += 1
        print(f"{what}: {steps}")
    print(f"{kind}: {count} stories from seed {seed}, {len(shortest)} kinds of findings")


if __name__ == "__main__":
    main()
