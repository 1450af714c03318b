"""One life of a charger as data: configuration, cars and steps, drawn from a seed and repeatable from it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from typing import Any

from tests.soak.vocabulary import CAR_ACTIONS, COMMANDS, FAULTS, KINDS, LONG, WAITS_S

MAX_STEPS = 14


@dataclass(frozen=True)
class Step:
    """`what` is done, then `wait_s` pass. `what`: `car WORD`, `fault NAME`, `clear NAME`, `command NAME`."""

    what: str
    wait_s: float

    def __str__(self) -> str:
        return f"{self.what}, {self.wait_s:g} s"


@dataclass(frozen=True)
class Life:
    """Everything that makes a life; playing it twice gives the same trace."""

    seed: int
    kind: str
    keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Configuration keys that differ from the shipped ones, by module id."""
    board: tuple[str, ...] = ()
    """What is wired to the board: `rcm`, `no feedback`."""
    steps: tuple[Step, ...] = ()

    def without(self, place: int, count: int = 1) -> Life:
        """Return this life without some steps."""
        return replace(self, steps=self.steps[:place] + self.steps[place + count :])


def invent(seed: int, kind: str = "") -> Life:
    """Draw a life; `kind` is one of KINDS, "" leaves that to the seed."""
    chance = random.Random(f"life {seed}")
    drawn = chance.choice(tuple(KINDS))
    kind = kind or drawn
    board = tuple(part for part in ("rcm", "no feedback") if chance.random() < 0.3)
    keys = _keys(random.Random(f"keys {seed}"), kind, board)
    return Life(seed, kind, keys, board, tuple(_steps(random.Random(f"steps {seed}"), kind)))


def _keys(chance: random.Random, kind: str, board: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    connector: dict[str, Any] = {}
    # The shipped configuration says `none` even where the contactor has a feedback.
    configured = "no feedback" not in board and chance.random() < 0.5
    feedback: dict[str, Any] = {"contactor_1_feedback_type": "no"} if configured else {}
    options: dict[str, tuple[Any, ...]] = {
        "state_F_after_fault_ms": (0, 300),
        "request_zero_power_in_idle": (True,),
        "has_ventilation": (False,),
        "lock_connector_in_state_b": (True, False),
        "session_logging": (False,),
        "session_logging_xml": (True,),
        "enable_autocharge": (True,),
        "unlock_when_deauthorized": (True,),
        "raise_mrec9": (True,),
        "hlc_charge_loop_without_energy_timeout_s": (0, 60),
        "zero_power_ignore_pause": (False,),
    }
    if kind in ("dc", "infypower"):
        options |= {
            "cable_check_enable_imd_self_test": (False,),
            "cable_check_wait_number_of_imd_measurements": (0, 3),
            "cable_check_wait_below_60V_before_finish": (False,),
            "hack_pause_imd_during_precharge": (True,),
            "dc_ramp_ampere_per_second": (5, 100),
        }
    if kind == "ac-hlc":
        # Authorized before SLAC begins the pilot goes to nominal duty at once, unless HLC is enforced.
        connector["ac_enforce_hlc"] = chance.random() < 0.7
    for name, values in options.items():
        if chance.random() < 0.12:
            connector[name] = chance.choice(values)
    node: dict[str, Any] = {}
    if chance.random() < 0.25:
        node["fuse_limit_A"] = chance.choice((10.0, 20.0, 32.0, 63.0))
    if chance.random() < 0.15:
        node["phase_count"] = 1
    auth: dict[str, Any] = {}
    if chance.random() < 0.2:
        auth["connection_timeout"] = chance.choice((10, 30, 60))
    if chance.random() < 0.15:
        auth["prioritize_authorization_over_stopping_transaction"] = False
    keys = {"connector": connector, "bsp": feedback, "grid_connection_point": node, "auth": auth}
    return {module: values for module, values in keys.items() if values}


def _steps(chance: random.Random, kind: str) -> list[Step]:
    faults = [name for name, kinds in FAULTS.items() if kind in kinds]
    commands = [name for name, kinds in COMMANDS.items() if kind in kinds]
    cars = [name for name, kinds in CAR_ACTIONS.items() if kind in kinds]
    steps: list[Step] = []
    present: list[str] = []
    for _ in range(chance.randint(3, MAX_STEPS)):
        dice = chance.random()
        if not steps or dice < 0.25:
            what = "car charge" if not steps or chance.random() < 0.6 else "car another"
        elif dice < 0.42:
            what = f"car {chance.choice(cars)}"
        elif dice < 0.68:
            name = chance.choice(faults)
            present.append(name)
            what = f"fault {name}"
        elif dice < 0.8 and present:
            what = f"clear {present.pop(chance.randrange(len(present)))}"
        else:
            what = f"command {chance.choice(commands)}"
        wait_s = chance.choice(LONG) if chance.random() < 0.06 else chance.choice(WAITS_S)
        steps.append(Step(what, wait_s))
    return steps
