"""Configuration of other modules in the device model, where the charger's configuration gives access to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.runtime import ConfigurationKey
from chargebyte_fw.modules.ocpp.station.effects import KeepElsewhere
from chargebyte_fw.modules.ocpp.station.events import CommandDone, CommandFailed
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.module_configs import ModuleValue, add_module_keys


class OtherModules:
    """Reads and writes the keys for one OCPP module; `feed` takes the event that a value is kept, or not."""

    def __init__(self, module: Module, feed: Callable[[Any], None]) -> None:
        self._module = module
        self._feed = feed
        self._others = module.runtime.configurations

    def add_to(self, variables: Variables) -> None:
        """Add what may be read."""
        if self._others is not None:
            add_module_keys(variables, self._others.readable(), self._takes)

    def _takes(self, key: ConfigurationKey, text: str) -> bool:
        if self._others is None:
            return False
        try:
            self._others.check(key.module_id, key.key, text)
        except ValueError as error:
            self._module.log.info("%s.%s stays as it is: %s", key.module_id, key.key, error)
            return False
        return True

    def keep(self, effect: KeepElsewhere) -> None:
        """Keep a value for the next start, by the side."""
        self._module.spawn(self._keep(effect.command_id, effect.what), "keep configuration")

    async def _keep(self, command_id: int, value: ModuleValue) -> None:
        key = value.key
        try:
            if self._others is None:
                raise OSError("there is no access to it")
            await self._others.keep(key.module_id, key.key, value.text)
        except (OSError, ValueError) as error:
            self._module.log.error("%s.%s cannot be kept for the next start: %s", key.module_id, key.key, error)
            self._feed(CommandFailed(command_id, str(error)))
        else:
            self._feed(CommandDone(command_id, None))
