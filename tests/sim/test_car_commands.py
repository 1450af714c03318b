"""What is typed to the simulated world is understood or refused with what can be typed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.sim.car_commands import CutUart, Drive, EmergencyStop, Wish, read, scripts_for
from chargebyte_fw.sim.script import ScriptError, parse

SCRIPTS = scripts_for("iso2", 80)


@pytest.mark.parametrize("protocol", ["iso2", "din", "basic"])
def test_the_short_words_of_every_protocol_are_good_scripts(protocol: str) -> None:
    scripts = scripts_for(protocol, 80)
    for script in (scripts.session, scripts.stop, scripts.pause):
        assert parse(script)


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        ("plug", Drive(SCRIPTS.session, fresh=True)),
        (" Unplug ", Drive("unplug", fresh=False)),
        ("stop", Drive(SCRIPTS.stop, fresh=False)),
        ("uart cut 2", CutUart(2.0)),
        ("estop", EmergencyStop(True)),
        ("estop off", EmergencyStop(False)),
        ("sleep 1;unplug", Drive("sleep 1;unplug", fresh=False)),
        ('{"run": "sleep 1"}', Drive("sleep 1", fresh=True)),
        ('{"replace": "unplug"}', Drive("unplug", fresh=False)),
        ('{"uart_cut_s": 0.5}', CutUart(0.5)),
        ('{"estop": true}', EmergencyStop(True)),
        ('{"say": "plug"}', Drive(SCRIPTS.session, fresh=True)),
    ],
)
def test_a_line_is_understood(line: str, wish: Wish) -> None:
    assert read(line, SCRIPTS) == wish


@pytest.mark.parametrize(
    "line", ["fly", "uart cut soon", "uart cut -1", "{", '{"jump": 1}', '{"say": "{}"}', "estop 3"]
)
def test_a_line_that_means_nothing_is_refused(line: str) -> None:
    with pytest.raises(ScriptError):
        read(line, SCRIPTS)


@settings(max_examples=200)
@given(st.text(max_size=60))
def test_no_line_does_worse_than_being_refused(line: str) -> None:
    try:
        read(line, SCRIPTS)
    except ScriptError as error:
        assert str(error)
