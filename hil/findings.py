"""How many findings of a report stop a run."""

from __future__ import annotations

from chargebyte_fw.manager.configuration.report import Report


def errors(report: Report) -> int:
    """Count them: what a file adds to them says whether that file can be used, whatever others are like."""
    return sum(1 for finding in report.findings if finding.severity == "error")
