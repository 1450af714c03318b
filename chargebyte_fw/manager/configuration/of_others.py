"""The configurations of other modules for a module of this process, as far as `access` in its entry goes."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.kernel.runtime import ConfigurationKey, KeepValue
from chargebyte_fw.manager.configuration.changes import BadValue, changed, parsed
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.manager.wire.answers import WHOLE_MODULE, Answers, rights

KINDS = {"bool": "boolean"}
"""Names of types in EVerest's manifests, by those on the wire."""


class OtherConfigurations:
    """What one module may read and change of `plans`; `keep` is None where nothing can be kept for the next start."""

    def __init__(self, plan: ModulePlan, plans: Sequence[ModulePlan], keep: KeepValue | None) -> None:
        self._plan = plan
        self._plans = {one.id: one for one in plans}
        self._keep = keep

    def readable(self) -> list[ConfigurationKey]:
        """Return the keys of each readable module, those of its implementations not included (EVerest)."""
        found_at = Answers(self._plans).get(self._plan.id, {"type": "All"})["response"]["data"]
        return [
            ConfigurationKey(
                module=self._plans[module_id].module.module_name(),
                module_id=module_id,
                key=parameter["name"],
                kind=KINDS.get(kind := parameter["characteristics"]["datatype"], kind),
                value=parameter["value"],
                writable=self._may_change(module_id) and parameter["characteristics"]["mutability"] != "ReadOnly",
            )
            for module_id, found in found_at.items()
            if module_id != self._plan.id
            for parameter in found[WHOLE_MODULE]
        ]

    def _may_change(self, module_id: str) -> bool:
        return self._keep is not None and rights(self._plan, module_id).allow_write

    def check(self, module_id: str, key: str, text: str) -> None:
        """Raise ValueError for a value that the module cannot have, or a key that this one may not change."""
        config = self._plans[module_id].config
        if not self._may_change(module_id):
            raise BadValue(f"{self._plan.id} may not change {module_id}")
        changed(config, key, parsed(config, key, text))

    async def keep(self, module_id: str, key: str, text: str) -> None:
        """Write a value for the next start; raises OSError, or ValueError for a file that cannot be read."""
        if self._keep is not None:
            value = parsed(self._plans[module_id].config, key, text)
            await self._keep(module_id, WHOLE_MODULE, key, value)
