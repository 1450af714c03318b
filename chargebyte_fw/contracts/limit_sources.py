"""The sources of limits in the energy tree as text: EVerest names them by module and configuration key."""

from __future__ import annotations

FUSE = "/module_config"
"""How EnergyNode marks limits of its own configuration, which is how the node is wired and fused."""
HARDWARE = ("/evse_board_support_caps", "/evse_board_support_caps_pause", " update_max_current_limit")
SUPPLY = " update_max_watt_limit"
IDLE = "Idle"
"""Of an EVSE that asks for no energy."""
_TEXTS = {
    "API_module": "the MQTT API",
    "RpcApi_module": "the JSON-RPC API",
    IDLE: "the EVSE itself, which asks for none",
}
_ENDINGS = {
    "/proximity_pilot": "the cable",
    " set_zero_discharge_limit": "the EVSE, which takes no energy back",
    " local_energy_limits": "the grid support of the EVSE",
}


def is_wiring(source: str) -> bool:
    """Whether one of the sources is a node's own configuration."""
    return any(part.endswith(FUSE) for part in source.split(","))


def rule_of(source: str) -> str:
    """Return who limits: the fuse of a node, the board, the power supply; anything else goes by its own name."""
    return " and ".join(dict.fromkeys(map(_one, source.split(","))))


def _one(source: str) -> str:
    if source.endswith(FUSE):
        return f"the fuse of {source.removesuffix(FUSE)}"
    if source.endswith(HARDWARE):
        return "the board's hardware"
    if source.endswith(SUPPLY):
        return "the power supply"
    if (ending := next((one for one in _ENDINGS if source.endswith(one)), None)) is not None:
        return _ENDINGS[ending]
    return _TEXTS.get(source, source) or "a limit without a name"
