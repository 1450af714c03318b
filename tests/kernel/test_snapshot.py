"""A machine can be written down and goes on from there; a file cannot make anything but data."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest

from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.snapshot import restored, taken
from chargebyte_fw.modules.evse.machine.allowance import Allowance
from chargebyte_fw.modules.evse.machine.bcb import BcbToggle
from chargebyte_fw.modules.evse.machine.events import Budget, EvTargets
from chargebyte_fw.modules.power.infypower import messages as can
from chargebyte_fw.modules.power.infypower.wishes import Confirmed


class Machine:
    """Has one of everything that machines have."""

    def __init__(self, config: object) -> None:
        self.config = config
        self.tell = lambda: None
        self.state = Severity.Low
        self.limit_A: float | None = None
        self.waiting: deque[Any] = deque()
        self.causes: dict[tuple[str, str], Budget] = {}
        self.told: frozenset[str] = frozenset()
        self.set: tuple[Severity, float] | None = None
        self.allowance = Allowance()
        self.confirmed = Confirmed()
        self.bcb = BcbToggle()


def busy() -> Machine:
    machine = Machine("made of this")
    machine.state, machine.limit_A = Severity.High, 16.0
    machine.waiting.append(EvTargets(400.0, 20.0))
    machine.causes["bsp", "a/B"] = Budget(1.0, 2.0, 3.0, 4.0)
    machine.told = frozenset(("x",))
    machine.set = (Severity.Medium, 2.5)
    machine.allowance.take(Budget(6.0, 0.0, 0.0, 9.0))
    machine.confirmed.take(can.SWITCH, can.ON)
    machine.bcb.edge(True, 3.0)
    return machine


def test_what_a_machine_knows_comes_back_through_plain_data() -> None:
    machine = busy()
    told = json.loads(json.dumps(taken(machine, (machine.config,))))
    assert "config" not in told and "tell" not in told
    other = Machine("and of that")
    restored(other, told, can.ITEMS)
    for name in ("state", "limit_A", "waiting", "causes", "told", "set", "allowance", "confirmed"):
        assert getattr(other, name) == getattr(machine, name), name
        assert type(getattr(other, name)) is type(getattr(machine, name)), name
    assert other.bcb == machine.bcb
    assert next(iter(other.confirmed.values)) is can.SWITCH, "a constant of the machine is itself again"
    assert other.config == "and of that"


def test_what_another_version_knew_is_let_go() -> None:
    machine = Machine("")
    restored(machine, {"no_more": 1, "limit_A": 6.0})
    assert machine.limit_A == 6.0 and not hasattr(machine, "no_more")


@pytest.mark.parametrize(
    "kind", ["kernel.store:Path", "kernel.store:os", "cli.main:main", "kernel.nowhere:X", "subprocess:Popen", 7]
)
def test_a_file_cannot_name_what_is_no_data(kind: Any) -> None:
    with pytest.raises(ValueError, match=r"no class|no data|no class .* any more"):
        restored(Machine(""), {"limit_A": {"~": kind, "args": "rm"}})
