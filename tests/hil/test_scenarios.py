"""Every shipped scenario on the rig without hardware: each reaction right and in time."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.sim.car_models import PROTOCOLS, Model
from chargebyte_fw.sim.script import ARGUMENT_COUNTS, parse
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
    assert {one.car for one in every} == set(scenario.CARS)
    words = {step.event.text.split()[0] for one in every for step in one.steps if step.event is not None}
    electrical = {"diode_fail", "cp", "pp", "estop", "leak", "temperature", "sensor", "contactor"} - {"diode_fail"}
    assert electrical | {"uart", "plc", "host", "power", "mains", "supply", "car", "operator", "plug"} <= words
    assert {one.group for one in every} == set(scenario.GROUPS)
    texts = {step.event.text for one in every for step in one.steps if step.event is not None}
    assert any("diode_fail" in text for text in texts) and any("error_e" in text for text in texts)
    judged: list[Any] = [item for one in every for step in one.steps for item in (*step.expect, *step.keep)]
    assert all(item.clause for item in judged)


NOT_ON_A_RIG = {
    "plugin": "stands for a script of EvManager's configuration",
    "wait_for_real_plugin": "waits for a person's hand",
}


def test_the_scenarios_speak_the_whole_language_of_the_car() -> None:
    """What a car's session is made of counts as spoken: `plug in` runs it."""
    spoken = {command.name for protocol in PROTOCOLS for command in parse(Model(protocol).scripts().session)}
    for one in scenario.load_all():
        for step in one.steps:
            text = "" if step.event is None else step.event.text
            if text.startswith("car ") and text != "car silent":
                spoken |= {command.name for command in parse(text.removeprefix("car ").removeprefix("anew "))}
    assert set(ARGUMENT_COUNTS) - spoken == set(NOT_ON_A_RIG)


def test_deadlines_say_whose_they_are() -> None:
    """A standard, a document of the product, or a rule of the house; never a bare wish."""
    owners = ("IEC ", "ISO ", "DIN ", "house rule", "safety protocol", "driver", "EvseManager", "EVerest")
    for one in scenario.load_all():
        for step in one.steps:
            judged: list[Any] = [*step.expect, *step.keep]
            for item in judged:
                assert item.clause.startswith(owners), (one.name, item.clause)


def test_the_same_scenario_takes_the_same_time_to_the_microsecond() -> None:
    """The rig's clock is virtual: what differs between two runs differs in the charger."""
    first, again = run(shipped("iso2-emergency-stop"), shipped("iso2-emergency-stop"))
    assert [one.measured_s for one in first.findings] == pytest.approx([one.measured_s for one in again.findings])
