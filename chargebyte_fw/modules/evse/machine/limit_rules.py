"""Which limit keeps an EV from charging, in words: the sources of the energy tree are names of modules and keys."""

from __future__ import annotations

FUSE = "/module_config"
"""How EnergyNode marks what its own configuration says, which is how the node is wired and fused."""
HARDWARE = ("/evse_board_support_caps", "/evse_board_support_caps_pause", " update_max_current_limit")
SUPPLY = " update_max_watt_limit"


def is_wiring(source: str) -> bool:
    """Whether one of the sources is a node's own configuration."""
    return any(part.endswith(FUSE) for part in source.split(","))


def rule_of(source: str) -> str:
    """Say who limits: the fuse of a node, the board, the power supply; anything else goes by its own name."""
    return " and ".join(dict.fromkeys(map(_one, source.split(","))))


def _one(source: str) -> str:
    if source.endswith(FUSE):
        return f"the fuse of {source.removesuffix(FUSE)}"
    if source.endswith(HARDWARE):
        return "the board's hardware"
    if source.endswith(SUPPLY):
        return "the power supply"
    return source or "a limit without a name"
