"""What a charger answers to `secc status`: facts as they are kept. The picture is made of them by whoever asks."""

from __future__ import annotations

from typing import Any

import msgspec

VARIABLES = {
    "evse_manager": (
        "limits",
        "enforced_limits",
        "powermeter",
        "ev_info",
        "car_manufacturer",
        "evse_id",
        "selected_protocol",
        "waiting_for_external_ready",
    ),
    "energy": ("energy_flow_request",),
    "slac": ("state", "dlink_ready", "ev_mac_address"),
    "uk_random_delay": ("countdown",),
    "evse_board_support": ("event",),
}
"""The variables that a status is made of, by interface."""
PILOT_COMMANDS = ("pwm_on", "cp_state_X1", "cp_state_E", "cp_state_F")
"""Commands of evse_board_support from which a broker shows what an EVSE puts on the pilot, and which board it uses."""


def topic_of(prefix: str) -> str:
    """Return where this product publishes its status; `prefix` is EVerest's."""
    return f"{prefix}secc/status"


class Value(msgspec.Struct, array_like=True):
    """The last value of one variable, in EVerest's JSON."""

    module: str
    implementation: str
    name: str
    value: Any


class ModuleFacts(msgspec.Struct, omit_defaults=True):
    """One module of the configuration."""

    id: str
    name: str
    group: str = ""
    process: str = ""
    program: bool = False
    evse: int | None = None
    state: str = "running"
    restarts: int = 0
    reason: str = ""
    interfaces: dict[str, str] = {}
    """What it provides: the interface by implementation."""
    connections: dict[str, list[str]] = {}
    """Modules that it uses, by requirement."""
    own: Any = None
    """What it answers itself (`Module.report_status`)."""


class ProcessFacts(msgspec.Struct, omit_defaults=True):
    """One process."""

    name: str
    kind: str
    pid: int
    state: str = "running"
    restarts: int = 0
    memory_MB: float = 0.0
    memory_limit_MB: float = 0.0
    modules: int = 0


class Answer(msgspec.Struct, omit_defaults=True):
    """The answer of one process, or of a manager for all of its groups."""

    time: str
    """The charger's clock, RFC 3339."""
    version: str = ""
    configuration: str = ""
    ready: bool = False
    reason: str = ""
    modules: list[ModuleFacts] = []
    values: list[Value] = []
    faults: list[Any] = []
    """EVerest's error objects."""
    processes: list[ProcessFacts] = []
    about: dict[str, str] = {}
    broker: str = ""
    on_broker: bool = False
    csms: Any = None
    """What `secc ocpp status` shows; None without an OCPP module."""
    notices: list[str] = []
