"""Trees of the energy tests, written short."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.contracts.types.energy import (
    EnergyFlowRequest,
    EvseState,
    IntegerWithSource,
    LimitsReq,
    NodeType,
    NumberWithSource,
    ScheduleReqEntry,
)
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.energy.machine import Enforce, Optimizer, Requested, Rules

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def side(name: str, **values: Any) -> LimitsReq:
    """Limits of one side: A, W, phases, min_A, min_phases, active, switch."""
    return LimitsReq(
        ac_max_current_A=NumberWithSource(value=values["A"], source=name) if "A" in values else None,
        total_power_W=NumberWithSource(value=values["W"], source=name) if "W" in values else None,
        ac_max_phase_count=IntegerWithSource(value=values["phases"], source=name) if "phases" in values else None,
        ac_min_current_A=NumberWithSource(value=values["min_A"], source=name) if "min_A" in values else None,
        ac_min_phase_count=IntegerWithSource(value=values["min_phases"], source=name)
        if "min_phases" in values
        else None,
        ac_number_of_active_phases=values.get("active"),
        ac_supports_changing_phases_during_charging=values.get("switch"),
    )


def entry(root: LimitsReq, leaves: LimitsReq | None = None, *, at: datetime = NOON, **more: Any) -> ScheduleReqEntry:
    return ScheduleReqEntry(timestamp=rfc3339(at), limits_to_root=root, limits_to_leaves=leaves or LimitsReq(), **more)


def node(
    uuid: str, *children: EnergyFlowRequest, exports: Any = None, imports: Any = None, **own: Any
) -> EnergyFlowRequest:
    """A fuse: `A` and others as in `side`, the same both ways."""
    limits = entry(side(uuid, phases=3, **own))
    return EnergyFlowRequest(
        children=list(children),
        uuid=uuid,
        node_type=NodeType.Generic,
        schedule_import=imports if imports is not None else [limits],
        schedule_export=exports if exports is not None else [limits],
        schedule_setpoints=[],
    )


def ac_leaf(uuid: str, A: float = 32, *, export_A: float = 0, min_A: float = 6, **more: Any) -> EnergyFlowRequest:
    """An alternating-current EVSE."""
    own = {
        "phases": 3,
        "min_A": min_A,
        "min_phases": 1,
        "active": more.pop("active", 3),
        "switch": more.pop("switch", True),
    }
    return EnergyFlowRequest(
        children=[],
        uuid=uuid,
        node_type=NodeType.Evse,
        evse_state=more.pop("state", EvseState.Charging),
        schedule_import=[entry(side(uuid, A=A, **own), side(uuid, A=A))],
        schedule_export=[entry(side(uuid, A=export_A, phases=3), side(uuid, A=export_A))],
        schedule_setpoints=[],
        **more,
    )


def dc_leaf(uuid: str, W: float = 150_000, A: float = 400, **more: Any) -> EnergyFlowRequest:
    """A direct-current EVSE: its supply is told in W, the board's side of it in A."""
    root = side(uuid, A=A, phases=3, min_A=6, min_phases=1, active=3, switch=True)
    return EnergyFlowRequest(
        children=[],
        uuid=uuid,
        node_type=NodeType.Evse,
        evse_state=EvseState.Charging,
        schedule_import=[entry(root, side(uuid, W=W), **more)],
        schedule_export=[entry(side(uuid, A=0, phases=3), side(uuid, W=0))],
        schedule_setpoints=[],
    )


def share(root: EnergyFlowRequest, rules: Rules | None = None, *, after_s: float = 0.0) -> dict[str, energy.LimitsRes]:
    """Run the optimiser once; return what each leaf may have now."""
    machine = Optimizer(rules or Rules())
    effects = machine.feed(Requested(root, NOON + timedelta(seconds=after_s)), 100.0)
    return {one.limits.uuid: one.limits.limits_root_side for one in effects if isinstance(one, Enforce)}


def current_A(limits: energy.LimitsRes) -> float:
    assert limits.ac_max_current_A is not None
    return limits.ac_max_current_A.value


def power_W(limits: energy.LimitsRes) -> float:
    assert limits.total_power_W is not None
    return limits.total_power_W.value
