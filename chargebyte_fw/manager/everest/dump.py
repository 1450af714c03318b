"""Module configurations after validation, as EVerest's manager writes them with `--dump`."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.manager.configuration.loading import Configuration
from chargebyte_fw.manager.wire.answers import Answers


def module_configurations(configuration: Configuration) -> dict[str, Any]:
    """Return the complete configuration of each module, every default filled in, by module id."""
    answers = Answers({plan.id: plan for plan in configuration.plans})
    return {plan.id: answers.module_data(plan)["module_config"] for plan in configuration.plans}
