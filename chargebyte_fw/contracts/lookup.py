"""A contract by EVerest's name of its interface: one file is imported, no other."""

from __future__ import annotations

import importlib
import pkgutil
import re

from chargebyte_fw.contracts import interfaces
from chargebyte_fw.kernel.contract import Contract


def contract_of(interface: str) -> type[Contract] | None:
    """Return the contract of an interface, None for an interface that this product does not declare."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", interface) is None:
        return None
    name = f"{interfaces.__name__}.{interface.lower()}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None
    return _declared_in(vars(module), name, interface)


def _declared_in(values: dict[str, object], name: str, interface: str) -> type[Contract] | None:
    for value in values.values():
        if isinstance(value, type) and issubclass(value, Contract) and value.__module__ == name:
            return value if value.interface == interface else None
    return None


def interface_names() -> list[str]:
    """Return the names of the files of all interfaces: EVerest's names in lower case."""
    return sorted(info.name for info in pkgutil.iter_modules(interfaces.__path__))
