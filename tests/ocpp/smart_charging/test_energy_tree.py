"""Limits of the CSMS in the energy tree: an EVSE gets them with their source, and others when their time comes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.energy import (
    EnergyFlowRequest,
    LimitsRes,
    ScheduleSetpointEntry,
    SetpointType,
)
from chargebyte_fw.contracts.types.energy import ExternalLimits as External
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.kernel.clock import rfc3339
from chargebyte_fw.modules.energy.machine import Enforce, Optimizer, Requested, Rules
from chargebyte_fw.modules.energy.node import Fuse, NodeBook
from chargebyte_fw.modules.ocpp.smart_charging.external_v2 import ExternalLimits
from chargebyte_fw.modules.ocpp.smart_charging.profile import RateUnit
from chargebyte_fw.modules.ocpp.smart_charging.publication import Settings
from chargebyte_fw.modules.ocpp.smart_charging.v2 import SmartCharging2
from chargebyte_fw.modules.ocpp.variables.standard import iso15118
from tests.energy.helpers import ac_leaf, current_A, power_W
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


# Bidirectional power (Q05, Q06, Q08): what the tree makes of a profile, of another system's set-point and of a meter.

READY: dict[Any, Any] = {
    iso15118.V2X_AVAILABLE.at(1): True,
    iso15118.V2X_ENABLED.at(1): True,
    iso15118.SUPPORTED_OPERATION_MODES.at(1): ("ExternalSetpoint", "LocalFrequency", "CentralSetpoint"),
}


def bidirectional(period: dict[str, Any]) -> SmartTalk:
    it = SmartTalk(SmartCharging2, variables=READY)
    it.block.settings = Settings(unit=RateUnit.W)
    it.begin()
    assert put(it, 1, profile("TxProfile", period, unit="W")) == "Accepted"
    return it


def allotted_W(it: SmartTalk, *, order_W: float | None = None, frequency_Hz: float | None = None) -> float:
    """The power of the EVSE: negative is given back. Another system orders `order_W` at the node above."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=NOON + 1.0)
    node, above = NodeBook("node", Fuse(63.0)), NodeBook("grid", Fuse(63.0))
    node.set_external(it.limits(1))
    if frequency_Hz is not None:
        node.meter = Powermeter(
            timestamp=rfc3339(at),
            energy_Wh_import=units.Energy(total=0.0),
            frequency_Hz=units.Frequency(L1=frequency_Hz),
        )
    node.take_child(ac_leaf("evse", export_A=32, min_A=0))
    if order_W is not None:
        point = SetpointType(priority=0, source="EMS", total_power_W=order_W)
        entry = ScheduleSetpointEntry(timestamp=rfc3339(at), setpoint=point)
        above.set_external(External(schedule_import=[], schedule_export=[], schedule_setpoints=[entry]))
    above.take_child(node.request(at))
    effects = Optimizer(Rules()).feed(Requested(above.request(at), at), 100.0)
    (limits,) = [one.limits.limits_root_side for one in effects if isinstance(one, Enforce)]
    return power_W(limits)


@pytest.mark.ocpp("V2X.02")
@pytest.mark.parametrize(("setpoint_W", "power_W"), [(4000.0, 4000.0), (0.0, 0.0), (-2000.0, -2000.0)])
def test_a_set_point_is_the_power_and_a_limit_only_bounds_it(setpoint_W: float, power_W: float) -> None:
    bounds = {"limit": 6000, "dischargeLimit": -3000}
    it = bidirectional({"operationMode": "CentralSetpoint", "setpoint": setpoint_W, **bounds})
    assert allotted_W(it) == pytest.approx(power_W, abs=1.0)
    assert allotted_W(bidirectional({"limit": 6000})) == pytest.approx(6000.0, abs=1.0), "as much as the limit"


@pytest.mark.ocpp("Q05", "Q06")
@pytest.mark.parametrize(("order_W", "power_W"), [(4000.0, 4000.0), (-2000.0, -2000.0), (9000.0, 6000.0), (-9e3, -3e3)])
def test_the_set_point_of_another_system_holds_within_the_profile(order_W: float, power_W: float) -> None:
    it = bidirectional({"operationMode": "ExternalSetpoint", "limit": 6000, "dischargeLimit": -3000})
    assert allotted_W(it, order_W=order_W) == pytest.approx(power_W, abs=1.0)


@pytest.mark.ocpp("Q08")
@pytest.mark.parametrize(
    ("frequency_Hz", "power_W"), [(50.0, 1000.0), (49.8, -4000.0), (49.0, -4000.0), (50.1, 3500.0)]
)
def test_the_power_follows_the_frequency_of_the_meter(frequency_Hz: float, power_W: float) -> None:
    curve = [{"frequency": 49.8, "power": -5000}, {"frequency": 50.0, "power": 0}, {"frequency": 50.2, "power": 5000}]
    it = bidirectional({"operationMode": "LocalFrequency", "v2xBaseline": 1000, "v2xFreqWattCurve": curve})
    assert allotted_W(it, frequency_Hz=frequency_Hz) == pytest.approx(power_W, abs=1.0)


class _Enforced:
    def __init__(self, root: LimitsRes) -> None:
        self.limits_root_side = root
