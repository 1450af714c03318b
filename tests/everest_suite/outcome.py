"""Prints the outcome of EVerest's tests, a line each: `python -m tests.everest_suite.outcome REPORT.xml...`."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

WIDTH = 160
"""Most characters of a reason."""


def outcomes(report: str) -> list[tuple[str, str, str]]:
    """Return name, outcome (`passed`, `failed`, `skipped`) and reason of each test of a JUnit report.

    A test that EVerest lets run again is there several times, its earlier runs without an outcome: the last one counts.
    """
    found = {}
    for case in ElementTree.fromstring(report).iter("testcase"):
        name = f"{case.get('classname', '')}.{case.get('name', '')}"
        outcome, reason = "passed", ""
        for part in case:
            if part.tag in ("failure", "error"):
                outcome, reason = "failed", part.get("message") or part.text or ""
            elif part.tag == "skipped" and outcome == "passed":
                outcome, reason = "skipped", part.get("message") or ""
        found[name] = (name, outcome, " ".join(reason.split())[:WIDTH])
    return list(found.values())


def main(*paths: Path) -> int:
    """Print a line for each test of the reports, and the sums; exit status 1 unless all pass that are not skipped."""
    missing = [path for path in paths if not path.is_file()]
    for path in missing:
        print(f"the tests of {path.stem} did not run")
    found = [one for path in paths if path not in missing for one in outcomes(path.read_text("utf-8"))]
    for name, outcome, reason in found:
        print(f"{outcome:8}{name}{': ' if reason else ''}{reason}")
    sums = Counter(outcome for _, outcome, _ in found)
    ran = sums["passed"] + sums["failed"]
    share = 100 * sums["passed"] / ran if ran else 0.0
    print(f"{sums['passed']} of {ran} passed ({share:.0f} %), {sums['skipped']} skipped by EVerest")
    return 0 if ran and not sums["failed"] and not missing else 1


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
