"""The files of this product for EVerest's tools, as plain data by path."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from chargebyte_fw.contracts import interfaces, types
from chargebyte_fw.contracts.lookup import interface_names
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.manager.manifest import (
    attribute_docs,
    definition_of,
    error_files,
    first_paragraph,
    interface_file,
    manifest_of,
)
from chargebyte_fw.manager.schema import type_file


def contracts() -> dict[str, type[Contract]]:
    """Return every declared contract by EVerest's name of its interface."""
    found: dict[str, type[Contract]] = {}
    for name in interface_names():
        module = importlib.import_module(f"{interfaces.__name__}.{name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Contract) and value.__module__ == module.__name__:
                found[value.interface] = value
    return dict(sorted(found.items()))


def everything(modules: dict[str, type[Module]]) -> dict[str, Any]:
    """Return path and content: manifests of `modules`, all interfaces, types, errors, and schemas as JSON."""
    files: dict[str, Any] = {f"modules/{name}/manifest.yaml": manifest_of(cls) for name, cls in sorted(modules.items())}
    for name, contract in contracts().items():
        files[f"interfaces/{name}.yaml"] = interface_file(contract)
        files[f"schemas/interfaces/{name}.json"] = definition_of(contract)
    for info in pkgutil.iter_modules(types.__path__):
        module = importlib.import_module(f"{types.__name__}.{info.name}")
        declared = type_file(module, _describe)
        if declared:
            files[f"types/{info.name}.yaml"] = {"description": first_paragraph(module.__doc__), "types": declared}
            files[f"schemas/types/{info.name}.json"] = declared
    for namespace, content in error_files().items():
        files[f"errors/{namespace}.yaml"] = content
    return files


def _describe(kind: type) -> tuple[str, dict[str, str]]:
    return first_paragraph(kind.__doc__), attribute_docs(kind)
