"""Limits of the CSMS in the energy tree: an EVSE gets them with their source, and others when their time comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargebyte_fw.contracts.types.energy import EnergyFlowRequest, LimitsRes
from chargebyte_fw.modules.energy.machine import Enforce, Optimizer, Requested, Rules
from chargebyte_fw.modules.energy.node import Fuse, NodeBook
from chargebyte_fw.modules.ocpp.smart_charging.external_v2 import ExternalLimits
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from tests.energy.helpers import ac_leaf, current_A
from tests.ocpp.smart_charging.profiles_v2 import profile, put
from tests.ocpp.smart_charging.talk import SmartTalk
from tests.ocpp.variables.talk import NOON

SOURCE = "ocpp/OCPP_set_external_limits"


def talk() -> SmartTalk:
    return SmartTalk(SmartCharging2, ExternalLimits)


def enforced(it: SmartTalk, after_s: float = 1.0, leaf: EnergyFlowRequest | None = None) -> LimitsRes:
    """What the energy management grants an EVSE behind the node that has the limits of EVSE 1."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=NOON + after_s)
    node = NodeBook("node", Fuse(63.0))
    node.set_external(it.limits(1))
    node.take_child(leaf if leaf is not None else ac_leaf("evse"))
    effects = Optimizer(Rules()).feed(Requested(node.request(at), at), 100.0)
    (limits,) = [one.limits.limits_root_side for one in effects if isinstance(one, Enforce)]
    return limits


def test_limit_and_its_source() -> None:
    it = talk()
    assert current_A(enforced(it)) == 32.0
    put(it, 1, profile("TxDefaultProfile", 10))
    limits = enforced(it)
    assert limits.ac_max_current_A is not None and limits.ac_max_current_A.source == SOURCE
    assert limits.ac_max_current_A.value == 10.0
    it.ask("ClearChargingProfile", {})
    assert current_A(enforced(it)) == 32.0


@pytest.mark.parametrize(
    ("after_s", "limit_A"), [(1.0, 16.0), (299.0, 16.0), (301.0, 8.0), (599.0, 8.0), (3600.0, 8.0)]
)
def test_limit_changes_by_itself(after_s: float, limit_A: float) -> None:
    """The tree has the schedule; the last entry holds should OCPP fail."""
    it = talk()
    put(it, 1, profile("TxDefaultProfile", (0, 16), (300, 8), (900, 32)))
    assert current_A(enforced(it, after_s)) == limit_A


def test_pause() -> None:
    it = talk()
    put(it, 1, profile("TxDefaultProfile", 0))
    assert current_A(enforced(it)) == 0.0


def test_phases() -> None:
    it = talk()
    put(it, 1, profile("TxDefaultProfile", {"limit": 10, "numberPhases": 1}))
    limits = enforced(it)
    assert limits.ac_max_phase_count is not None and limits.ac_max_phase_count.value == 1


def test_limit_is_no_external_one_when_it_comes_back() -> None:
    """The station's own limit is not notified as that of another system."""
    it = talk()
    put(it, 1, profile("TxDefaultProfile", 10))
    root = enforced(it)
    enforcement: Any = _Enforced(root)
    it.fact("evse_manager", "enforced_limits", enforcement)
    assert list(it.payloads_of("NotifyChargingLimit")) == []


class _Enforced:
    def __init__(self, root: LimitsRes) -> None:
        self.limits_root_side = root
