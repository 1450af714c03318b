"""Rig files and scenarios are checked like configurations: every finding at once, with place and nearest right name."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.manager.configuration.report import Report
from hil import conditions, events, rig, scenario
from tests.hil.bench import told

RIG = """description: wrong in many ways
clock: virtul
colour: red
resources:
  plant:
    type: VirtualPlant
    sed: 1
  other:
    type: VirtualPlnt
drivers:
  Powr: SimPower
  Pilot: SimPower
  Meter:
    type: SimMeter
    plant: plnt
"""


def test_everything_that_is_wrong_with_a_rig_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(RIG)
    report = Report()
    rig.check(path, report)
    text = "\n".join(told(report.findings))
    assert "2:8 virtul is no clock (did you mean virtual?)" in text
    assert "3:1 a rig has no key colour" in text
    assert "VirtualPlant plant has no key sed (did you mean seed?)" in text
    assert "there is no resource VirtualPlnt (did you mean VirtualPlant?)" in text
    assert "Powr is no protocol (did you mean Power?)" in text
    with pytest.raises(ConfigError) as error:
        rig.load(path)
    assert len(error.value.findings) == len(report.findings)


def test_a_driver_must_do_the_protocol_and_have_its_resources(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(
        "resources:\n  plant: VirtualPlant\n  spare: VirtualPlant\n"
        "drivers:\n  Pilot:\n    type: SimPower\n    plant: plant\n  Meter: SimMeter\n  Load:\n"
        "    type: SimCar\n    plant: plnt\n"
    )
    report = Report()
    rig.check(path, report)
    text = "\n".join(told(report.findings))
    assert "6:11 SimPower does Power, not Pilot" in text
    assert "8:3 Meter needs a VirtualPlant as plant (plant, spare)" in text
    assert "11:12 plnt is no VirtualPlant (did you mean plant?)" in text


def test_a_rig_that_cannot_run_anything_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "small.yaml"
    path.write_text("resources:\n  plant: VirtualPlant\ndrivers:\n  Power: SimPower\n")
    with pytest.raises(ConfigError, match="cannot do without Pilot, Load, Meter, Charger"):
        rig.load(path)


@pytest.mark.parametrize("path", sorted(rig.FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_rigs_are_sound(path: Path) -> None:
    report = Report()
    rig.check(path, report)
    assert [finding for finding in report.findings if "cannot be used" not in finding.what] == []


SCENARIO = """title: wrong
car: iso20
start: charging
steps:
  - event: estop maybe
  - event: car iso_fly
    expect:
      - that: contactors is ajar
        within_s: 1
        clause: x
      - that: curent_A below 1
        clause: x
      - that: current_A under 1
        within_s: soon
        clause: x
  - event: plug in
    expekt: []
  - {}
"""


def test_everything_that_is_wrong_with_a_scenario_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(SCENARIO)
    report = Report()
    assert scenario.load(path, report) is None
    text = "\n".join(told(report.findings))
    assert f"2:6 car must be one of {', '.join(scenario.CARS)}, not iso20 (did you mean iso2" in text
    assert "5:12 'estop maybe' is no event (estop on|off)" in text
    assert "6:12 Command not found: iso_fly" in text
    assert "8:15 contactors is never 'ajar' (known: open, closed)" in text
    assert "11:15 'curent_A below 1' does not begin with a signal (did you mean current_A?)" in text
    assert "within_s is missing" in text and "within_s must be a number" in text
    assert "what is said of current_A?" in text
    assert "a step has no key expekt (did you mean expect?)" in text
    assert "a step does nothing" in text


@pytest.mark.parametrize(
    ("text", "now", "holds"),
    [
        ("contactors is open", {"contactors": "open"}, True),
        ("contactors is not open", {"contactors": "open"}, False),
        ("cp in BC", {"cp": "C"}, True),
        ("drive is +12 V", {"drive": "+12 V"}, True),
        ("duty_percent between 4.5 and 5.5", {"duty_percent": 5.0}, True),
        ("current_A below 1", {"current_A": 1.0}, False),
        ("current_A is 0", {"current_A": 0.01}, True),
        ("faults has DiodeFault", {"faults": frozenset({"evse_board_support/DiodeFault"})}, True),
        ("faults lacks ac_rcd/DC", {"faults": frozenset({"ac_rcd/DC"})}, False),
        ("faults is empty", {"faults": frozenset()}, True),
        ("car has cable check", {"car": frozenset({"cable check"})}, True),
    ],
)
def test_conditions(text: str, now: dict[str, object], holds: bool) -> None:
    assert conditions.parse(text).true(now) is holds


@pytest.mark.parametrize("form", events.HELP)
def test_every_event_of_the_manual_is_understood(form: str) -> None:
    examples = {"SCRIPT": "pause", "MILLIAMPERE": "30", "CHANNEL": "1", "CELSIUS": "90", "SECONDS": "2", "SHARE": "0.1"}
    examples |= {"ERROR": "OverTemperature", "COMMAND": "pause_charging", "[PAYLOAD]": ""}
    words = [examples.get(word, word.split("|")[0]) for word in form.split()]
    assert events.parse(" ".join(words)).needs


@pytest.mark.parametrize(
    "text", ["uart cut soon", "uart noise 2", "temperature 5 20", "leak -1", "pp 14", "", "nonsense"]
)
def test_an_event_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(events.BadEvent):
        events.parse(text)


def findings_of(folder: Path, text: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.write_text(text)
    report = Report()
    if scenario.is_scenario(path):
        scenario.load(path, report)
    else:
        rig.check(path, report)
    return "\n".join(told(report.findings))


def test_a_list_is_no_rig(tmp_path: Path) -> None:
    text = findings_of(tmp_path, "- resources\n- drivers\n")
    assert "1:1 a rig is a map of keys, not a list" in text and "resources, drivers" in text


def test_what_a_wrong_resource_would_have_been_good_for_is_no_finding(tmp_path: Path) -> None:
    text = findings_of(
        tmp_path,
        "resources:\n  bench: LocalBnch\n  broker: LocalBroker\n"
        "drivers:\n  Power: {type: LocalPower, bench: bench}\n  Charger: MqttCharger\n",
    )
    assert text == "2:10 there is no resource LocalBnch (did you mean LocalBench?)"


def test_numbers_and_words_of_a_rig_are_checked(tmp_path: Path) -> None:
    text = findings_of(tmp_path, "resolution_s: fast\nhas: [rmc]\ncars: [iso3]\nresources: {}\ndrivers: {}\n")
    assert '1:15 resolution_s must be a number from 0 to 1, not the text "fast"' in text
    assert "2:7 has holds rmc (did you mean rcm?)" in text and "3:8 cars holds iso3 (did you mean iso2?)" in text


def test_a_scenario_is_told_from_a_rig_and_one_that_judges_nothing_is_warned_of(tmp_path: Path) -> None:
    head = "title: t\ngroup: conctator\ncar: basic\nstart: idle\nboard: {rmc: true}\nsteps:\n"
    text = findings_of(tmp_path, head + "  - event: car iso_dc_power_one\n  - event: host frozn 3\n")
    assert "2:8 group must be one of" in text and "(did you mean contactor?)" in text
    assert "5:9 board has no key rmc (did you mean rcm?)" in text
    assert "Command not found: iso_dc_power_one (did you mean" in text and "host frozen SECONDS; host crash" in text
    text = findings_of(tmp_path, "title: t\ncar: basic\nstart: idle\nsteps:\n  - event: plug in\n")
    assert text == "4:1 nothing is judged in it (add expect or keep to a step)"


def test_a_broken_file_does_not_spoil_the_next_one(tmp_path: Path) -> None:
    report = Report()
    broken = tmp_path / "broken.yaml"
    broken.write_text(SCENARIO)
    assert scenario.load(broken, report) is None and rig.check(tmp_path / "none.yaml", report) is None
    assert scenario.load(scenario.FOLDER / "iso2-session.yaml", report) is not None
    assert rig.check(rig.FOLDER / "sim.yaml", report) is not None
