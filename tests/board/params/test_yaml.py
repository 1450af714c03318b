"""The parameter block as YAML: every rule of every value, every mistake with its line and column."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.params import layout, rules, value_types, yaml_text
from chargebyte_fw.board.params.value_types import ValueType
from chargebyte_fw.board.params.yaml_text import Document
from tests.manager.parts import words_of

WHOLE = "pt1000s: [off, off, off, off]\ncontactors: [none, none, none]\nestops: [off, off, off]\n"


def read(text: str) -> Document:
    return yaml_text.read(text.encode(), "p.yaml")


def told(text: str) -> list[str]:
    return [words_of(finding) for finding in read(text).findings]


def only(text: str) -> str:
    """The one finding of a file that is whole otherwise."""
    (finding,) = told(text)
    return finding


# Values


@pytest.mark.parametrize(
    ("kind", "text", "raw"),
    [
        (value_types.TEMPERATURE, "85.0 °C", 850),
        (value_types.TEMPERATURE, "85°C", 850),
        (value_types.TEMPERATURE, "-10.55 °C", -106),
        (value_types.TEMPERATURE, "+1e1 °C", 100),
        (value_types.TEMPERATURE, ".5 °C", 5),
        (value_types.TEMPERATURE, "Disabled", 0x1FFF),
        (value_types.TEMPERATURE, "OFF", 0x1FFF),
        (value_types.TEMPERATURE, "-80 °C", -800),
        (value_types.TEMPERATURE, "200 °C", 2000),
        (value_types.RESISTANCE, "1.000 Ω", 1000),
        (value_types.RESISTANCE, "1.000 \u2126", 1000),
        (value_types.RESISTANCE, "-32Ω", -32000),
        (value_types.TIME_10_MS, "100 ms", 10),
        (value_types.TIME_10_MS, "2550ms", 255),
        (value_types.TIME_20_MS, "60 ms", 3),
        (value_types.TIME_20_MS, "5100 ms", 255),
        (value_types.VOLTAGE, "2200 mV", 2200),
        (value_types.PERCENT, "50 %", 50),
        (value_types.PERCENT, "100%", 100),
        (value_types.POLARITY, "Active-Low", 1),
        (value_types.POLARITY, "active-high", 2),
        (value_types.POLARITY, "none", 0),
        (value_types.CONTACTOR, "without-feedback", 1),
        (value_types.CONTACTOR, "with-feedback-normally-open", 2),
        (value_types.CONTACTOR, "with-feedback-normally-closed", 3),
        (value_types.CONTACTOR, "with-feedback", 3),
        (value_types.CONTACTOR, "none", 0),
        (value_types.PLUG_LOCK, "with-feedback", 2),
    ],
)
def test_a_value_is_read(kind: ValueType, text: str, raw: int) -> None:
    assert kind.parse(text).raw == raw
    assert kind.parse(kind.show(raw)).raw == raw


@pytest.mark.parametrize(
    ("kind", "text", "raw", "warning"),
    [
        (value_types.TEMPERATURE, "85.04 °C", 850, "is stored as 85.0 °C"),
        (value_types.TEMPERATURE, "85.05 °C", 851, "is stored as 85.1 °C"),
        (value_types.TEMPERATURE, "-85.0 °C", -800, "beyond the limit; -80.0 °C"),
        (value_types.TEMPERATURE, "850 °C", 2000, "beyond the limit; 200.0 °C"),
        (value_types.RESISTANCE, "32.001 Ω", 32000, "beyond the limit; 32.000 Ω"),
        (value_types.TIME_10_MS, "109 ms", 10, "is stored as 100 ms"),
        (value_types.TIME_10_MS, "9 ms", 0, "is stored as 0 ms"),
        (value_types.TIME_10_MS, "2560 ms", 255, "beyond the limit; 2550 ms"),
        (value_types.TIME_20_MS, "99 ms", 4, "is stored as 80 ms"),
        (value_types.TIME_20_MS, "99999999999999999999 ms", 255, "beyond the limit; 5100 ms"),
        (value_types.VOLTAGE, "3301 mV", 3300, "beyond the limit; 3300 mV"),
    ],
)
def test_a_value_that_is_stored_as_another_one_is_told(kind: ValueType, text: str, raw: int, warning: str) -> None:
    parsed = kind.parse(text)
    assert parsed.raw == raw
    assert warning in parsed.warning


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (value_types.TEMPERATURE, "85", "has no unit; write it like"),
        (value_types.TEMPERATURE, "85 ", "has no unit"),
        (value_types.TEMPERATURE, "85  °C", "more than one blank"),
        (value_types.TEMPERATURE, "85\u00a0°C", "another space"),
        (value_types.TEMPERATURE, "85 C", "has the unit 'C'; write it in °C"),
        (value_types.TEMPERATURE, "85 °F", "has the unit '°F'"),
        (value_types.TEMPERATURE, "85 K", "has the unit 'K'"),
        (value_types.TEMPERATURE, "85 º C", "has the unit"),
        (value_types.TEMPERATURE, "nan °C", "does not begin with a number"),
        (value_types.TEMPERATURE, "inf °C", "does not begin with a number"),
        (value_types.TEMPERATURE, "0x10 °C", "has the unit"),
        (value_types.TEMPERATURE, "", "does not begin with a number"),
        (value_types.TEMPERATURE, "active-low", "does not begin with a number"),
        (value_types.RESISTANCE, "disabled", "does not begin with a number"),
        (value_types.RESISTANCE, "1 Ohm", "has the unit 'Ohm'"),
        (value_types.TIME_10_MS, "100.5 ms", "has the unit"),
        (value_types.TIME_10_MS, "-100 ms", "does not begin with a whole number"),
        (value_types.TIME_10_MS, "1 s", "has the unit 's'"),
        (value_types.TIME_10_MS, "1 MS", "has the unit 'MS'"),
        (value_types.TIME_10_MS, "٣ ms", "does not begin with"),
        (value_types.PERCENT, "101 %", "beyond 0 % to 100 %"),
        (value_types.VOLTAGE, "2.2 V", "has the unit"),
        (value_types.POLARITY, "low", "is none of disabled, active-low, active-high"),
        (value_types.CONTACTOR, "normally-open", "is none of"),
    ],
)
def test_a_value_that_is_none_says_why(kind: ValueType, text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("(", r"\(")):
        kind.parse(text)


# Lists


def test_a_list_that_is_too_short_leaves_the_rest_disabled_and_says_so() -> None:
    text = WHOLE.replace("[none, none, none]", "\n  - without-feedback")
    assert only(text) == "p.yaml:3:3: warning: contactors has 1 of 3 items: the missing ones stay disabled"
    assert read(text).parameters.values[layout.CONTACTOR_TYPE] == [1, 0, 0]


def test_a_list_that_is_too_long_is_cut_and_says_where() -> None:
    text = WHOLE.replace("[off, off, off]\n", "[off, off, off, active-low, active-low]\n")
    assert only(text) == "p.yaml:3:25: warning: estops has only 3 items: 2 more from here on are ignored"


def test_a_list_that_is_missing_leaves_everything_disabled_and_says_so() -> None:
    assert told("contactors: [none, none, none]\nestops: [off, off, off]\n") == [
        "p.yaml:1:1: warning: pt1000s is missing: all 4 stay disabled"
    ]


# Residual current monitor

RCM = {
    "fault-polarity": "active-low",
    "test-polarity": "active-high",
    "test-trigger-time": "60 ms",
    "test-check-tripped-time": "80 ms",
    "test-check-normal-time": "100 ms",
}


def rcm(**changes: str | None) -> str:
    values = RCM | {key.replace("_", "-"): value for key, value in changes.items()}
    return WHOLE + "rcm:\n" + "".join(f"  {key}: {value}\n" for key, value in values.items() if value is not None)


@pytest.mark.parametrize("word", ["disabled", "disable", "none", "off", "OFF"])
def test_a_monitor_that_is_not_there_needs_one_word(word: str) -> None:
    document = read(WHOLE + f"rcm: {word}\n")
    assert document.findings == []
    assert document.parameters.get(layout.RCM_FAULT) == document.parameters.get(layout.RCM_TEST) == 0


def test_a_monitor_with_everything_is_right() -> None:
    assert told(rcm()) == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"test_polarity": None}, "p.yaml:5:19: error: rcm: fault-polarity and test-polarity belong together"),
        ({"fault_polarity": "off"}, "p.yaml:6:18: error: rcm: fault-polarity and test-polarity belong together"),
        ({"test_check_normal_time": None}, "p.yaml:5:19: error: rcm: test-check-normal-time is missing"),
        ({"test_trigger_time": "0 ms"}, "p.yaml:7:22: error: rcm: test-trigger-time must not be 0 ms"),
    ],
)
def test_a_monitor_is_whole_or_not_there(changes: dict[str, str | None], what: str) -> None:
    assert only(rcm(**changes)).startswith(what)


def test_a_time_that_is_cut_to_nothing_is_nothing() -> None:
    findings = told(rcm(test_check_tripped_time="19 ms"))
    assert any("is stored as 0 ms" in finding for finding in findings)
    assert any("error: rcm: test-check-tripped-time must not be 0 ms" in finding for finding in findings)


def test_a_monitor_is_no_other_word_and_no_list() -> None:
    assert "rcm must be a map or `disabled`, not 'active-low'" in only(WHOLE + "rcm: active-low\n")
    assert "rcm must be a map or `disabled`, not a list" in only(WHOLE + "rcm: [off]\n")


# Plug lock (known in YAML only)

LOCK = {
    "type": "with-feedback",
    "close-time": "600 ms",
    "open-time": "600 ms",
    "feedback-open-voltage-min": "100 mV",
    "feedback-open-voltage-max": "1000 mV",
    "feedback-closed-voltage-min": "2200 mV",
    "feedback-closed-voltage-max": "3000 mV",
}


def lock(**changes: str | None) -> str:
    values = LOCK | {key.replace("_", "-"): value for key, value in changes.items()}
    return WHOLE + "pluglock:\n" + "".join(f"  {key}: {value}\n" for key, value in values.items() if value is not None)


def test_a_lock_with_everything_is_right() -> None:
    assert told(lock()) == []
    assert told(WHOLE + "pluglock: none\n") == []


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"open_time": None}, "pluglock: open-time is missing"),
        ({"open_time": None, "type": "without-feedback"}, "pluglock: open-time is missing"),
        ({"feedback_open_voltage_max": None}, "pluglock: feedback-open-voltage-max is missing"),
        ({"feedback_open_voltage_max": "2200 mV"}, "the voltages of open and closed overlap"),
        ({"feedback_open_voltage_min": "1001 mV"}, "feedback-open-voltage-min is above its max"),
        ({"feedback_closed_voltage_min": "3001 mV"}, "feedback-closed-voltage-min is above its max"),
        ({"type": None}, "pluglock: type is missing"),
    ],
)
def test_a_lock_is_whole_or_not_there(changes: dict[str, str | None], what: str) -> None:
    assert what in only(lock(**changes))


def test_a_lock_of_type_none_keeps_its_other_values_without_a_check() -> None:
    text = lock(type="none", open_time=None, feedback_open_voltage_max="3300 mV")
    assert told(text) == []
    assert read(text).parameters.get(layout.LOCK_TIMES[0]) == 60


def test_a_lock_is_no_list_and_no_other_word() -> None:
    assert "pluglock must be a map or `disabled`, not a list" in only(WHOLE + "pluglock: [none]\n")
    assert "pluglock must be a map or `disabled`" in only(WHOLE + "pluglock: with-feedback\n")


# The file


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "p.yaml: error: the file is empty"),
        ("- 1\n", "p.yaml:1:1: error: the file must be a map"),
        ("just words\n", "p.yaml:1:1: error: the file must be a map"),
        (WHOLE + "version: 0\n", "p.yaml:4:10: error: version must be a number from 1 to 65535 (an unversioned block"),
        (WHOLE + "version: 65536\n", "p.yaml:4:10: error: version must be"),
        (WHOLE + "version: one\n", "p.yaml:4:10: error: version must be"),
        (WHOLE + "version: [1]\n", "p.yaml:4:10: error: version must be"),
        (WHOLE + "estop: [off]\n", "p.yaml:4:1: error: the file has no key estop (did you mean estops?)"),
        (WHOLE + "estops: [off, off, off]\n", "p.yaml:4:1: error: estops is given twice (first in line 3)"),
        (WHOLE + "? [a]\n: 1\n", "p.yaml:4:3: error: a key must be a plain word"),
        (WHOLE.replace("[off, off, off]", "active-low"), "estops must be a list of 3 items"),
        (
            WHOLE.replace("[off, off, off]", "[off, [off], off]"),
            "p.yaml:3:15: error: estops 2 must be a word, not a list",
        ),
        (WHOLE.replace("[off, off, off]\n", "[off, {type: 1}, off]\n"), "p.yaml:3:15: error: estops 2 must be a word"),
        (WHOLE.replace("[none,", "[{type: [none]},"), "contactors 1 type must be a single value"),
        (WHOLE.replace("[none,", "[{kind: none},"), "contactors 1 has no key kind"),
        (WHOLE.replace("[none,", "[none\n,,"), "this is not YAML"),
        (WHOLE + "\tx: 1\n", "this is not YAML"),
        (WHOLE + "imd: sometimes\n", "p.yaml:4:6: error: imd: 'sometimes' is none of"),
        (WHOLE + "x: " + "[" * 2000, "p.yaml"),
    ],
)
def test_a_file_that_is_wrong_says_where(text: str, what: str) -> None:
    document = read(text)
    assert document.failed
    assert any(what in str(finding) for finding in document.findings), document.findings


def test_bytes_that_are_no_text_are_told_with_their_place() -> None:
    document = yaml_text.read(WHOLE.encode() + b"imd: \xff\xfe\n", "p.yaml")
    assert [str(finding)[:13] for finding in document.findings] == ["p.yaml:4:6: e"]
    assert yaml_text.read(b"\0\1\2", "p.yaml").failed
    assert "larger than 64 KiB" in str(yaml_text.read(b"#" * 70000, "p.yaml").findings[0])


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in str(yaml_text.read_file(tmp_path / "x.yaml").findings[0])


def test_every_mistake_is_told_at_once() -> None:
    text = WHOLE.replace("[off, off, off, off]", "[85 C, 90 K, off, off]").replace("estops: [off", "estops: [low")
    assert [finding.split(": ")[0] for finding in told(text)] == ["p.yaml:1:11", "p.yaml:1:17", "p.yaml:3:10"]


# What does not fit into a version


def lost(text: str, version: int) -> list[str]:
    return [f"{one.severity}: {one.what}" for one in rules.fit(read(text).parameters, version, "p.yaml")]


FULL = (
    "pt1000s:\n  - {abort-temperature: 85 °C, resistance-offset: 1 Ω}\n  - off\n  - off\n  - off\n"
    "contactors:\n  - {type: without-feedback, close-time: 100 ms, hold-duty-cycle: 50 %}\n"
    "  - none\n  - without-feedback\n"
    "estops: [off, off, off]\nimd: active-low\nmotor-driver-fault: active-low\n"
) + rcm().removeprefix(WHOLE)


def test_what_only_newer_blocks_have_is_told_and_left_out() -> None:
    newest_only = [
        "warning: contactors 1 hold-duty-cycle (50 %) is left out: a block of version 2 does not have it",
        "warning: motor-driver-fault (active-low) is left out: a block of version 2 does not have it",
        "warning: imd (active-low) is left out: a block of version 2 does not have it",
    ]
    assert lost(FULL, 2) == newest_only
    assert len([line for line in lost(FULL, 1) if "rcm" in line]) == 5
    names = [line.split(" (")[0].removeprefix("warning: ") for line in lost(FULL, 0)]
    assert names[:4] == [
        "pt1000s 1 resistance-offset", "contactors 3 type", "contactors 1 close-time", "contactors 1 hold-duty-cycle",
    ]  # fmt: skip


def test_a_normally_open_contactor_would_become_a_normally_closed_one_and_is_refused() -> None:
    text = WHOLE.replace("[none, none,", "[with-feedback-normally-open, with-feedback,")
    assert lost(text, 1) == []
    assert lost(text, 0) == [
        "error: contactors 1 type (with-feedback-normally-open): an unversioned block can only say normally closed"
    ]


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=80))
def test_any_text_is_read_or_told(text: str) -> None:
    for candidate in (text, WHOLE + text, WHOLE.replace("none", text, 1)):
        document = read(candidate)
        assert document.failed or layout.encode(document.parameters, 2)


KEYS = st.sampled_from([group.name for group in layout.GROUPS] + ["version", "type", "close-time", "x"])
VALUES: Any = st.recursive(
    st.sampled_from(["off", "85 °C", "100 ms", "active-low", "with-feedback", "1", "", "2200 mV"]),
    lambda inner: st.one_of(st.lists(inner, max_size=5), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(KEYS, VALUES, max_size=5))
def test_any_structure_is_read_or_told(tree: dict[str, Any]) -> None:
    import yaml

    document = read(yaml.safe_dump(tree, allow_unicode=True))
    assert document.failed or layout.encode(document.parameters, 2)
