"""What an operator may ask the running charger on its control socket: its modules, and one command of one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from chargebyte_fw.kernel import bus
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.names import closest
from chargebyte_fw.manager.manifest import everest_name
from chargebyte_fw.manager.wire.calls import arguments_of, attribute_of

if TYPE_CHECKING:
    from chargebyte_fw.kernel.contract import Contract
    from chargebyte_fw.manager.assembly import Assembly

CALLER = "secc"
"""Who calls, in the recorder."""


class Operator:
    """Answers with the modules that run now; `assembly` returns None while none does."""

    def __init__(self, assembly: Callable[[], Assembly | None]) -> None:
        self._assembly = assembly

    async def call(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Answer `{"of": "connector.evse", "command": ..., "arguments": {...}}` with the result or the reason."""
        assembly = self._assembly()
        if assembly is None:
            return {"error": "no module runs at the moment"}
        module_id, _, name = str(request.get("of")).partition(".")
        found = [place for place in assembly.implementations if place[0] == module_id and name in ("", place[1])]
        if not found:
            known = [".".join(place) for place in assembly.implementations]
            return {
                "error": f"there is no {request.get('of')}",
                "nearest": closest(str(request.get("of")), known) or "",
            }
        if len(found) > 1:
            return {"error": f"{module_id} has {', '.join(place[1] for place in found)}: name one of them"}
        provider = assembly.implementations[found[0]]
        command = str(request.get("command"))
        attribute = attribute_of(provider, command)
        if attribute is None:
            known = [everest_name(one) for one in provider.commands]
            return {
                "error": f"{provider.interface} has no command {command}",
                "nearest": closest(command, known) or "",
                "known": known,
            }
        return await self._run(provider, attribute, request.get("arguments"))

    async def _run(self, provider: Contract, attribute: str, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            return {"error": "the arguments are no object"}
        try:
            arguments = arguments_of(provider, attribute, given)
            trace = provider.module.runtime.trace
            value = await bus.run_command(provider, attribute, (), arguments, trace=trace, caller=CALLER, outside=True)
            return {"result": msgspec.to_builtins(value)}
        except msgspec.ValidationError as error:
            return {"error": str(error)}
        except CommandError as error:
            return {"error": error.message, "kind": error.kind}
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            return {"error": f"the result cannot be written: {error}"}
