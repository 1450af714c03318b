"""The steps of a cable check, and its test voltage (IEC 61851-23 CC.4.1.2)."""

from __future__ import annotations

from enum import Enum

import msgspec

from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason

EXPECTED_STOPS = (
    StopTransactionReason.DeAuthorized,
    StopTransactionReason.Local,
    StopTransactionReason.Remote,
    StopTransactionReason.EVSEDisabled,
)
"""Stops that are no fault of a cable check which they cut off."""


class Step(Enum):
    """Steps of the check."""

    Rest = "rest"
    Below60V = "wait for less than 60 V"
    EarlyVoltage = "voltage with open contactors"
    EarlySelfTest = "self test with open contactors"
    Contactors = "close the contactors"
    EvVoltage = "wait for the EV's maximum voltage"
    Voltage = "test voltage"
    SelfTest = "self test"
    Insulation = "measure"
    Discharge = "discharge"
    FailDischarge = "discharge after a failure"


NOT_RUNNING = (Step.Rest, Step.FailDischarge)
MEASURED = (Step.Below60V, Step.EarlyVoltage, Step.Voltage, Step.Discharge)
"""Steps that wait for a voltage, and so for measurements."""
RUNNING = tuple(step for step in Step if step not in NOT_RUNNING)
AFTER_SELF_TEST = (Step.Insulation, Step.Discharge, Step.Rest)


def test_voltage_from_limits(ev_max_V: float, evse_max_V: float) -> float:
    """Return the cable check's voltage in V: the EV's maximum with a margin, never above ours."""
    if ev_max_V <= 500.0:
        return min(500.0, ev_max_V + 50.0, evse_max_V)
    return min(evse_max_V, 1.1 * ev_max_V)


test_voltage_from_limits.__test__ = False  # type: ignore[attr-defined]


class Check(msgspec.Struct):
    """One cable check."""

    wanted_V: float = 0.0
    samples: int = 0
    self_test_done: bool = False
    monitor_runs: bool = False
    failed_because: str = ""
    """Empty for a check that was aborted, not failed."""
