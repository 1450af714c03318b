"""The outcome of EVerest's tests is printed as the report has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.everest_suite.outcome import main, outcomes
from tests.everest_suite.requirements import requirements

REPORT = """<testsuites><testsuite>
<testcase classname="core_tests.smoke_tests" name="test_a"/>
<testcase classname="core_tests.smoke_tests" name="test_b">
  <failure message="assert 1 ==&#10; 2">long</failure></testcase>
<testcase classname="core_tests.smoke_tests" name="test_c"><skipped message="not yet"/></testcase>
<testcase classname="core_tests.smoke_tests" name="test_d"><error>TimeoutError: no</error></testcase>
</testsuite></testsuites>"""


def test_each_test_has_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.xml"
    assert main(report) == 1
    report.write_text(REPORT)
    assert main(report) == 1
    assert capsys.readouterr().out.splitlines() == [
        "the tests of report did not run",
        "0 of 0 passed (0 %), 0 skipped by EVerest",
        "passed  core_tests.smoke_tests.test_a",
        "failed  core_tests.smoke_tests.test_b: assert 1 == 2",
        "skipped core_tests.smoke_tests.test_c: not yet",
        "failed  core_tests.smoke_tests.test_d: TimeoutError: no",
        "1 of 3 passed (33 %), 1 skipped by EVerest",
    ]


def test_of_a_test_that_ran_again_the_last_run_counts() -> None:
    again = '<testcase classname="a" name="b"/>'
    failed = '<testcase classname="a" name="b"><error message="no"/></testcase>'
    assert outcomes(f"<testsuite>{again}{again}{failed}</testsuite>") == [("a.b", "failed", "no")]


def test_requirements_are_read() -> None:
    assert requirements("[options]\ninstall_requires =\n    pytest ~=9.0\n    ocpp ==2.1.0\n") == [
        "pytest~=9.0,<9.1",
        "ocpp==2.1.0",
    ]


def test_a_report_that_is_missing_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report-16.xml"
    report.write_text('<testsuite><testcase classname="a" name="b"/></testsuite>')
    assert main(report) == 0
    assert main(report, tmp_path / "report-201.xml") == 1
    assert "the tests of report-201 did not run" in capsys.readouterr().out
