"""The status of process groups and programs: what the groups answer, within what the manager knows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.faults import Fault, Faults, FaultState, Origin, Severity
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.manager.configuration.loading import load
from chargebyte_fw.manager.grouped.unit import Unit
from chargebyte_fw.manager.status.answer import Answer, ModuleFacts, Value
from chargebyte_fw.manager.status.collector import Collector
from chargebyte_fw.manager.status.grouped import status_of
from chargebyte_fw.manager.status.model import ModuleState, Status
from chargebyte_fw.manager.status_file import Status as StatusFile

REPOSITORY = Path(__file__).parents[3]


class Group(Unit):
    pid = 0

    async def start(self) -> None:
        return

    async def end(self, why: str, *, kill: bool) -> None:
        return


def fault(module_id: str, sub_type: str = "") -> Fault:
    return Fault(
        type="generic/CommunicationFault",
        sub_type=sub_type,
        message="lost",
        description="",
        severity=Severity.Medium,
        origin=Origin(module_id, "main"),
        state=FaultState.Active,
        timestamp="2026-01-01T00:00:00.000Z",
        uuid=f"of {module_id}",
    )


@pytest.fixture(scope="module")
def plans() -> Any:
    return load(REPOSITORY / "etc/everest/bsp-only-dc.yaml", Root(REPOSITORY, REPOSITORY)).require_sound().plans


def test_groups_are_shown_with_state_restarts_and_memory_and_one_that_hangs_stays_visible(run: Any, plans: Any) -> None:
    async def main() -> Status:
        cloud = [plan for plan in plans if plan.module.group == "cloud"]
        charge = [plan for plan in plans if plan.module.group != "cloud"]
        units: list[Unit] = [Group("charge", charge, None, 160), Group("cloud", cloud, None, 120)]  # type: ignore[arg-type]
        units[0].state, units[1].state, units[1].restarts, units[1].reason = "running", "waiting", 3, "it hangs"
        one = Answer(
            "2026-01-01T00:00:10Z",
            modules=[ModuleFacts("bsp", "CbChargeSOMDriver", interfaces={"board": "evse_board_support"})],
            values=[Value("connector", "evse", "evse_id", "DE*1")],
            faults=[msgspec.to_builtins(fault("imd"))],
            about={"safety controller": "0.4.1"},
        )
        absent = Faults(frozenset(("generic/CommunicationFault",)))
        absent.take_raise(fault("imd"))
        absent.take_raise(fault("kvs", "Absent"))
        answers = {"charge": msgspec.to_builtins(one), "cloud": {"error": "/run/secc/control-cloud does not answer"}}
        given = status_of(plans, units, answers, StatusFile(ready=True, broker="localhost:1883"), [absent])
        collector = Collector("control")
        collector.take_answer(msgspec.to_builtins(given))
        return collector.status(utc_now())

    status = run(main())
    assert [(one.name, one.kind, one.state, one.restarts, one.modules) for one in status.processes] == [
        ("secc", "manager", "running", 0, 0),
        ("charge", "group", "running", 0, 12),
        ("cloud", "group", "waiting", 3, 6),
    ]
    assert [one.memory_limit_MB for one in status.processes] == [None, 160, 120]
    states = {module.id: (module.state, module.process, module.reason) for module in status.modules}
    assert len(states) == 18 and states["bsp"] == (ModuleState.running, "charge", "")
    assert states["api"] == (ModuleState.waiting, "cloud", "it hangs")
    assert [fault.module for fault in status.faults] == ["imd", "kvs"], "one that two know is one"
    assert status.evses[0].evse_id == "DE*1"
    assert any("group cloud does not answer" in notice for notice in status.notices)
    assert {link.name: link.text for link in status.links}["MCU"] == "0.4.1"
