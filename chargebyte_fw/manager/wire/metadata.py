"""Retained topics of EVerest's manager on a configuration: interfaces, manifests, module names."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.manifest import definition_of, manifest_of
from chargebyte_fw.manager.wire import envelope
from chargebyte_fw.manager.wire.carrier import Carrier


class Metadata:
    """Publishes the retained topics of EVerest's manager (its option `--retain-topics`)."""

    def __init__(self, carrier: Carrier) -> None:
        self._client = carrier.client
        self._prefix = carrier.prefix
        self._root = carrier.everest_root

    def publish(self, assembly: Assembly) -> None:
        """Publish everything in EVerest's order."""
        contracts: dict[str, type[Contract]] = {}
        for implementation in assembly.implementations.values():
            contracts[implementation.interface] = implementation.declaration()
        self._keep("interfaces", sorted(contracts))
        for name, contract in sorted(contracts.items()):
            self._keep(f"interface_definitions/{name}", definition_of(contract))
        self._keep("types", [])
        self._keep("settings", self._settings())
        for name, cls in sorted({type(m).module_name(): type(m) for m in assembly.modules.values()}.items()):
            manifest = manifest_of(cls)
            del manifest["config"]
            self._keep(f"manifests/{name}", manifest)
        self._keep("module_names", {name: module.module_name() for name, module in assembly.modules.items()})

    def _settings(self) -> dict[str, Any]:
        return {
            "prefix": self._root,
            "etc_dir": f"{self._root.removesuffix('/usr')}/etc/everest",
            "data_dir": f"{self._root}/share/everest",
            "modules_dir": f"{self._root}/libexec/everest/modules",
            "telemetry_prefix": "everest-telemetry/",
            "telemetry_enabled": False,
            "validate_schema": False,
            "forward_exceptions": False,
        }

    def _keep(self, topic: str, data: Any) -> None:
        self._client.publish(self._prefix + topic, envelope.message("ConfigurationResponse", data), retain=True)
