"""The commands of EVerest's Node-RED panel."""

from __future__ import annotations

from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
)
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.kernel.rate_limited_log import RateLimitedLog
from chargebyte_fw.modules.evse.adapters.node_red import Panel
from chargebyte_fw.modules.evse.adapters.requests import Requests

PRIORITY = 100


class PanelCommands:
    """Makes requests of the panel's commands."""

    def __init__(self, requests: Requests, log: ModuleLog) -> None:
        self._requests = requests
        self._log = log
        self._refused = RateLimitedLog(log)

    def subscribe(self, panel: Panel) -> None:
        """Take the commands from now on."""
        panel.commands(
            enable=lambda _: self._enable(EnableDisableSourceEnableState.Enable),
            disable=lambda _: self._enable(EnableDisableSourceEnableState.Disable),
            pause_charging=lambda _: self._pause(True),
            resume_charging=lambda _: self._pause(False),
            switch_three_phases_while_charging=self._switch_phases,
        )

    def close(self) -> None:
        """Log what is still to be logged."""
        self._refused.close()

    def _enable(self, state: EnableDisableSourceEnableState) -> None:
        source = EnableDisableSource(
            enable_source=EnableDisableSourceEnableSource.LocalAPI, enable_state=state, enable_priority=PRIORITY
        )
        self._requests.enable_disable(0, source)

    def _pause(self, pause: bool) -> None:
        if not self._requests.pause(pause):
            self._log.info("%s had no effect: no transaction runs", "pause_charging" if pause else "resume_charging")

    def _switch_phases(self, payload: str) -> None:
        if payload.strip().lower() not in ("true", "false"):
            self._refused.write("switch_three_phases_while_charging: %r is not true or false", payload[:40])
            return
        self._requests.switch_phases(payload.strip().lower() == "true")
