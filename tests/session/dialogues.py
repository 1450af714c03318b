"""What a whole-stack test needs of the dialogue: the messages on the wire, the session events, AC with HLC."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import yaml

from chargebyte_fw.contracts.types import energy
from chargebyte_fw.contracts.types.evse_manager import SessionEvent
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from tests.session.plant import Plant

AC_WITH_HLC = "bsp-only-ac.yaml"


MATCH = "sleep 0.5;iso_wait_slac_matched;"
LEAVE = "iso_stop_charging;iso_wait_v2g_session_stopped;sleep 1;unplug"
DC_SESSION = MATCH + "iso_start_v2g_session DC 86400 0;iso_wait_pwr_ready;iso_dc_power_on;"
AC_SESSION = MATCH + "iso_start_v2g_session AC 86400 0;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;"
"""Scripts of a car: match, charge, leave."""
PAUSE = "iso_pause_charging;iso_wait_v2g_session_stopped;sleep 30;"
WAKE_UP = "iso_start_bcb_toggle 3;iso_wait_pwm_is_running;"


def overlay(state: Path, configuration: str, modules: dict[str, Any]) -> None:
    """Lay a user's changes over a shipped configuration."""
    file = state / "etc/everest/user-config" / configuration
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump({"active_modules": modules}))


def connected(module_id: str, implementation_id: str) -> list[dict[str, str]]:
    return [{"module_id": module_id, "implementation_id": implementation_id}]


def ac_with_hlc(state: Path, modules: dict[str, Any] | None = None, **connector: Any) -> str:
    """Make AC charging speak ISO 15118-2: SLAC, HLC and the certificate store beside the shipped modules."""
    overlay(
        state,
        AC_WITH_HLC,
        {
            "connector": {
                "config_module": {"ac_hlc_enabled": True, **connector},
                "connections": {
                    "slac": connected("slac", "main"),
                    "hlc": connected("iso15118_charger", "charger"),
                },
            },
            "slac": {"module": "EvseSlac", "config_implementation": {"main": {"device": "eth1"}}},
            "iso15118_charger": {
                "module": "EvseV2G",
                "config_module": {"device": "eth1"},
                "connections": {"security": connected("evse_security", "main")},
            },
            "evse_security": {"module": "EvseSecurity", "config_module": {"private_key_password": "123456"}},
            **(modules or {}),
        },
    )
    return AC_WITH_HLC


class Story:
    """Everything that happened, in order: `v2g` messages, session `events`, with the second at which they came."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        modules: Any = plant.assembly.modules
        self.connector = modules["connector"]
        self.told: list[tuple[float, str, Any]] = []
        self.connector.evse.session_event.subscribe(self._event, replay=False)
        hlc = modules.get("iso15118_charger")
        if hlc is not None:
            hlc.charger.v2g_messages.subscribe(self._message, replay=False)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _event(self, event: SessionEvent) -> None:
        self.told.append((self._now(), event.event.value, event))

    def _message(self, message: Any) -> None:
        content = json.loads(message.v2g_json) if message.v2g_json else {}
        body = content.get("Body", content)
        self.told.append((self._now(), message.id.value, body))

    def forget(self) -> None:
        """Begin anew."""
        self.told.clear()

    @property
    def names(self) -> list[str]:
        return [name for _, name, _ in self.told]

    def of(self, name: str) -> list[Any]:
        """All messages or events of this name."""
        return [what for _, told, what in self.told if told == name]

    def count(self, name: str) -> int:
        return self.names.count(name)

    def at(self, name: str) -> float:
        """The second of the first one of this name."""
        return next(at for at, told, _ in self.told if told == name)

    def responses(self, name: str) -> list[str]:
        """The response codes of this response."""
        return [body["ResponseCode"] for body in self.of(name)]

    def failed(self) -> list[tuple[str, str]]:
        """Every response that says FAILED."""
        return [
            (name, body["ResponseCode"])
            for _, name, body in self.told
            if isinstance(body, dict) and str(body.get("ResponseCode", "")).startswith("FAILED")
        ]


async def limit(
    plant: Plant, *, power_W: float | None = None, current_A: float | None = None, phases: int | None = None
) -> None:
    """Limit what the grid connection may draw, as an energy management above the charger does."""
    node: Any = plant.assembly.modules["grid_connection_point"]
    source = "limit of the test"
    side = energy.LimitsReq(
        total_power_W=None if power_W is None else energy.NumberWithSource(value=power_W, source=source),
        ac_max_current_A=None if current_A is None else energy.NumberWithSource(value=current_A, source=source),
        ac_max_phase_count=None if phases is None else energy.IntegerWithSource(value=phases, source=source),
    )
    entry = energy.ScheduleReqEntry(timestamp=rfc3339(utc_now()), limits_to_root=side, limits_to_leaves=side)
    await node.external_limits.set_external_limits(
        energy.ExternalLimits(schedule_import=[entry], schedule_export=[], schedule_setpoints=[])
    )
