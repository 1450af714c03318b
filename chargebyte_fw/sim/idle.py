"""Implementations that do nothing, for modules that only stand in a place."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.contract import Contract


def idle(contract: type[Contract], **results: Any) -> type[Any]:
    """Return an implementation of `contract` whose commands do nothing; `results` are returned, None by the others."""

    def returning(result: Any) -> Any:
        async def nothing(_self: Any, *_args: Any, **_kwargs: Any) -> Any:
            return result

        return nothing

    commands = {name: returning(results.get(name)) for name in contract.commands}
    return type(f"Idle{contract.__name__}", (contract,), commands)
