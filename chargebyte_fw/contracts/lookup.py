"""A contract by EVerest's name of its interface: one file is imported, no other."""

from __future__ import annotations

import importlib
import pkgutil
import re

from chargebyte_fw.contracts import interfaces
from chargebyte_fw.kernel.contract import Contract


def contract_of(interface: str) -> type[Contract] | None:
    """Return the contract of an interface: this product's, or that of a plugin which was loaded; None without one."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", interface) is None:
        return None
    name = f"{interfaces.__name__}.{interface.lower()}"
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return next((kind for kind in Contract.__subclasses__() if kind.interface == interface), None)
    return _declared_in(vars(module), name, interface)


def _declared_in(values: dict[str, object], name: str, interface: str) -> type[Contract] | None:
    for value in values.values():
        if isinstance(value, type) and issubclass(value, Contract) and value.__module__ == name:
            return value if value.interface == interface else None
    return None


def interface_names() -> list[str]:
    """Return the names of the files of all interfaces: EVerest's names in lower case."""
    return sorted(info.name for info in pkgutil.iter_modules(interfaces.__path__))
