"""EVerest's own modules: their names are right, and no misspelt names of modules of this product."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

from chargebyte_fw.kernel.decoding import decode_yaml
from chargebyte_fw.manager.configuration.entries import Written

LIST = "everest_modules.yaml"
MOST_USERS = 4


@cache
def everests_modules() -> dict[str, dict[str, str]]:
    """Return what each of EVerest's modules provides: interfaces by implementation id."""
    found: dict[str, dict[str, str]] = decode_yaml(resources.files(__package__).joinpath(LIST).read_bytes())
    return found


def what_is_missing(one: Written, all_written: Sequence[Written]) -> tuple[str, str] | None:
    """Return what to write of a module of EVerest that is not installed, and a hint; None for any other name."""
    provided = everests_modules().get(one.module)
    if provided is None:
        return None
    users: dict[str, list[str]] = {}
    for other in all_written:
        for _, wishes in other.connections.values():
            for wish in wishes:
                if wish.module_id == one.id:
                    interface = provided.get(wish.implementation_id) or wish.implementation_id
                    users.setdefault(interface, [])
                    if other.id not in users[interface]:
                        users[interface].append(other.id)
    owner = "chargebyte's module for another board" if one.module.startswith("Cb") else "EVerest's module"
    what = f"{one.module} is {owner}; not part of this product"
    if users:
        parts = [f"{interface} to {_named(ids)}" for interface, ids in users.items()]
        what += f"; it provides {', '.join(parts)}"
    return what, "install it as a program of its own, connect another module in its place, or take it out"


def _named(ids: Sequence[str]) -> str:
    more = len(ids) - MOST_USERS
    return " and ".join(ids) if more <= 0 else f"{', '.join(ids[:MOST_USERS])} and {more} more"
