"""What is no YAML is said in words, at the place where somebody must type, with what to type."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.manager.configuration.reading import parse
from chargebyte_fw.manager.configuration.report import Report
from tests.manager.parts import words_of

SOUND = """\
active_modules:
  pump:
    module: Pump
    config_module:
      power_W: 5
      label: abc
    connections:
      valve:
        - module_id: pump
          implementation_id: main
"""


def changed(old: str, new: str) -> str:
    assert SOUND.count(old) == 1
    return SOUND.replace(old, new)


BROKEN = {
    "a tab indents": (
        changed("    config_module", "\tconfig_module"),
        "4:1: a tab cannot indent (use spaces, two a level)",
    ),
    "a tab before a value": (changed("power_W: 5", "power_W:\t5"), "5:15: a tab stands here (write a space instead)"),
    "indented too little": (
        changed("      label", "     label"),
        "6:6: indented by 5, as no line above it (indent it by 6 like line 5 or by 4 like line 4)",
    ),
    "the first of two indented too far": (
        changed("      power_W", "        power_W"),
        "6:7: indented by 6, as no line above it (indent it by 8 like line 5 or by 4 like line 4)",
    ),
    "indented below a value": (
        changed("      label", "        label"),
        "6:9: indented below power_W, which has a value already (indent it like line 5)",
    ),
    "no space after the colon": (
        changed("power_W: 5", "power_W:5"),
        "5:14: no space after the ':' (write power_W: 5)",
    ),
    "no space after the dash": (
        changed("- module_id: pump", "-module_id: pump"),
        "9:9: no space after the '-' (write - module_id: pump)",
    ),
    "no colon": (changed("power_W: 5", "power_W 5"), "5:1: this line has no ':' (write it as key: value)"),
    "a no-break space": (
        changed("power_W: 5", "power_W:\u00a05"),
        "5:15: a space that is none for YAML (type it again as a plain space)",
    ),
    "a star without quotes": (
        changed("label: abc", "label: *DE*CHB"),
        '6:14: text cannot begin with * unless it is in quotes (write "*DE*CHB")',
    ),
    "an at sign without quotes": (
        changed("label: abc", "label: @abc"),
        '6:14: text cannot begin with @ unless it is in quotes (write "@abc")',
    ),
    "a colon in text": (
        changed("label: abc", "label: now: or later"),
        "6:17: a second ': ' in one line (if it belongs to the text, write \"now: or later\")",
    ),
    "an open quote": (
        changed("label: abc", 'label: "abc'),
        "6:14: the quote that opens here is not closed (close it at the end of the text)",
    ),
    "text after a quote": (
        changed("label: abc", "label: 'it's'"),
        "6:18: this comes after the end of the value (put the whole value in quotes)",
    ),
    "a path of another system": (
        changed("label: abc", 'label: "C:\\data"'),
        "6:18: a backslash in double quotes means something else (use '...')",
    ),
    "an open bracket": (SOUND + "x: [1,\n", "11:4: the bracket that opens here is not closed"),
    "an open brace": ('{"a": {"b": 1}', "1:1: the bracket that opens here is not closed"),
    "a bracket that others follow": (
        changed("label: abc", "label: [1, 2"),
        "7:16: a comma or a closing bracket is missing before this (look at the line above, too)",
    ),
    "a list item among keys": (
        changed("      label: abc", "      - label"),
        "6:7: a list item among keys (they begin in line 5) (indent it below what it belongs to)",
    ),
    "a merge conflict": (
        changed("      power_W: 5\n", "<<<<<<< ours\n      power_W: 5\n=======\n      power_W: 6\n>>>>>>> theirs\n"),
        "5:1: a merge conflict was left here (keep one side, delete the marked lines)",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_syntax_errors_in_words(case: str) -> None:
    text, expected = BROKEN[case]
    report = Report()
    assert parse(text, "c", report) is None
    (finding,) = report.findings
    assert words_of(finding) == f"c:{expected}".replace(": ", ": error: ", 1)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SOUND)), st.integers(0, 20), st.text(alphabet="ab:{}[],&*!-#'\"\\\n \t\u00a0@%", max_size=10))
def test_every_syntax_error_has_a_place_in_the_file(at: int, length: int, insert: str) -> None:
    text = SOUND[:at] + insert + SOUND[at + length :]
    report = Report()
    if parse(text, "c", report) is None:
        _, line, column, *_ = str(report.findings[0]).split(":")
        assert 1 <= int(line) <= len(text.splitlines()) + 1 and int(column) >= 1
