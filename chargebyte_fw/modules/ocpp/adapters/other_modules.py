"""Configuration of other modules in the device model, where the charger's configuration gives access to it."""

from __future__ import annotations

from chargebyte_fw.kernel.module import Module
from chargebyte_fw.kernel.runtime import ConfigurationKey
from chargebyte_fw.modules.ocpp.variables.model import Variables
from chargebyte_fw.modules.ocpp.variables.module_configs import add_module_keys


class OtherModules:
    """Reads and writes the keys for one OCPP module."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self._others = module.runtime.configurations

    def add_to(self, variables: Variables) -> None:
        """Add what may be read."""
        if self._others is not None:
            add_module_keys(variables, self._others.readable(), self._write)

    def _write(self, key: ConfigurationKey, text: str) -> bool:
        if self._others is None:
            return False
        try:
            self._others.check(key.module_id, key.key, text)
        except ValueError as error:
            self._module.log.info("%s.%s stays as it is: %s", key.module_id, key.key, error)
            return False
        self._module.spawn(self._keep(key, text), "keep configuration")
        return True

    async def _keep(self, key: ConfigurationKey, text: str) -> None:
        if self._others is None:
            return
        try:
            await self._others.keep(key.module_id, key.key, text)
        except (OSError, ValueError) as error:
            self._module.log.error("%s.%s cannot be kept for the next start: %s", key.module_id, key.key, error)
