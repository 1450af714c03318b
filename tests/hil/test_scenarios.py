"""Every shipped scenario on the rig without hardware: each reaction right and in time."""

from __future__ import annotations

import pytest

from hil import scenario
from hil.judge import Verdict
from hil.live import complaints
from tests.hil.bench import run, shipped

NAMES = sorted(path.stem for path in scenario.FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_a_charger_reacts_rightly_and_in_time(name: str) -> None:
    (result,) = run(shipped(name))
    assert complaints(result) == []
    assert result.verdict is Verdict.PASSED and result.findings


def test_the_scenarios_cover_all_cars_and_all_kinds_of_trouble() -> None:
    every = scenario.load_all()
    assert len(every) >= 20
    assert {one.car for one in every} == {"iso2", "din", "basic"}
    words = {step.event.text.split()[0] for one in every for step in one.steps if step.event is not None}
    electrical = {"diode_fail", "cp", "pp", "estop", "leak", "temperature", "sensor", "contactor"} - {"diode_fail"}
    assert electrical | {"uart", "plc", "power", "mains", "supply", "car", "operator", "plug"} <= words
    texts = {step.event.text for one in every for step in one.steps if step.event is not None}
    assert any("diode_fail" in text for text in texts) and any("error_e" in text for text in texts)
    assert all(item.clause for one in every for step in one.steps for item in (*step.expect, *step.keep))


def test_the_same_scenario_takes_the_same_time_to_the_microsecond() -> None:
    """The rig's clock is virtual: what differs between two runs differs in the charger."""
    first, again = run(shipped("iso2-emergency-stop"), shipped("iso2-emergency-stop"))
    assert [one.measured_s for one in first.findings] == pytest.approx([one.measured_s for one in again.findings])
