"""Optional packages that the modules of a configuration need and that are not installed."""

from __future__ import annotations

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.errors import Finding
from chargebyte_fw.manager.configuration.loading import Configuration


def lacking(configuration: Configuration) -> list[Finding]:
    """Return an error for each module that needs a package which is not installed here."""
    return [
        Finding(str(configuration.path), f"module {plan.id} ({plan.module.module_name()}): {line}", number="C049")
        for plan in configuration.plans
        if (line := extras.lacking(plan.module.packages))
    ]
