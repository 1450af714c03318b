"""Runs scenarios on rig `sim`, as they are shipped or as a test writes them."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.manager.configuration.report import Report
from hil import rig, runner, scenario
from hil.command import default_root

SIM = rig.FOLDER / "sim.yaml"


def shipped(name: str) -> scenario.Scenario:
    found = scenario.load(scenario.FOLDER / f"{name}.yaml", Report())
    assert found is not None
    return found


def written(folder: Path, text: str, name: str = "written") -> scenario.Scenario:
    path = folder / f"{name}.yaml"
    path.write_text(text)
    report = Report()
    found = scenario.load(path, report)
    assert found is not None, report.findings
    return found


def run(*scenarios: scenario.Scenario, on: rig.Rig | None = None) -> list[runner.Result]:
    return clock.run(runner.run(on or rig.load(SIM), scenarios, default_root()), speed=None)


def told(findings: list[Finding]) -> list[str]:
    return [f"{finding.where.rpartition('.yaml:')[2]} {finding.what} ({finding.hint})" for finding in findings]
