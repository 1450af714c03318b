"""What a module reads of itself when it starts: configuration, connections, interfaces, paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .checks import Checks
from .wire import WHOLE_MODULE


@dataclass(frozen=True)
class Fulfillment:
    """An implementation of another module that fulfils a requirement; pass it back as it was received."""

    module_id: str
    implementation_id: str
    requirement_id: str = field(default="", repr=False)
    index: int = field(default=0, repr=False)


@dataclass(frozen=True)
class Interface:
    """Names of an interface; errors are `namespace/Name`."""

    variables: list[str]
    commands: list[str]
    errors: list[str]


@dataclass(frozen=True)
class Configurations:
    """Values of the configuration: the module's own (None without any), and those of each implementation."""

    module: dict[str, Any] | None
    implementations: dict[str, dict[str, Any]]


@dataclass(frozen=True)
class ModuleSetup:
    """Configuration and connections; the position in a list of connections is their index."""

    configs: Configurations
    connections: dict[str, list[Fulfillment]]


@dataclass(frozen=True)
class ModulePaths:
    """Directories: EVerest's configuration, the module's program, its data."""

    etc: Path
    libexec: Path
    share: Path


@dataclass(frozen=True)
class ModuleInfo:
    """What the manifest and the settings have of this module."""

    name: str
    authors: list[str]
    license: str
    id: str
    telemetry_enabled: bool
    paths: ModulePaths


class Metadata:
    """What the manager published and answered; raises RuntimeError where something is missing.

    `definitions` are EVerest's interface definitions by name: those of provided and of connected interfaces. `types`
    are its types by file, None where messages are not checked.
    """

    def __init__(
        self,
        module_id: str,
        config: Mapping[str, Any],
        settings: Mapping[str, Any],
        manifest: Mapping[str, Any],
        definitions: Mapping[str, Mapping[str, Any]],
        types: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        self.module_id = module_id
        self._config = config
        self._settings = settings
        self._manifest = manifest
        self._definitions = definitions
        self.checks = Checks(definitions, types)
        self.mappings: Mapping[str, Any] = config.get("mapping") or {}

    @property
    def provides(self) -> dict[str, str]:
        """Return the interface of each implementation."""
        return {name: entry["interface"] for name, entry in (self._manifest.get("provides") or {}).items()}

    @property
    def requires(self) -> dict[str, dict[str, Any]]:
        """Return the manifest's entry of each requirement."""
        return dict(self._manifest.get("requires") or {})

    def definition(self, interface: str) -> Mapping[str, Any]:
        """Return the definition; an empty one of an interface that nothing provides."""
        return self._definitions.get(interface, {})

    def interface(self, name: str) -> Interface:
        """Return the names of an interface."""
        definition = self.definition(name)
        errors = [f"{space}/{error}" for space, errors in (definition.get("errors") or {}).items() for error in errors]
        return Interface(list(definition.get("vars") or {}), list(definition.get("cmds") or {}), errors)

    def descriptions(self, interface: str) -> dict[str, str]:
        """Return the description of each error of an interface."""
        errors = self.definition(interface).get("errors") or {}
        return {
            f"{space}/{name}": str(entry.get("description", ""))
            for space, entries in errors.items()
            for name, entry in entries.items()
        }

    def arguments(self, interface: str, command: str) -> list[str] | None:
        """Return the arguments of a command, None for an unknown one."""
        commands = self.definition(interface).get("cmds") or {}
        return list(commands[command].get("arguments") or {}) if command in commands else None

    def setup(self) -> ModuleSetup:
        """Return configuration and connections."""
        values = {
            name: {one["name"]: one["value"] for one in parameters}
            for name, parameters in (self._config.get("configuration_parameters") or {}).items()
        }
        module = values.pop(WHOLE_MODULE, None)
        given = self._config.get("connections") or {}
        connections = {
            name: [
                Fulfillment(one["module_id"], one["implementation_id"], name, index)
                for index, one in enumerate(given.get(name) or ())
            ]
            for name in self.requires
        }
        return ModuleSetup(Configurations(module, values), connections)

    def info(self) -> ModuleInfo:
        """Return name, authors, license and paths."""
        about = self._manifest.get("metadata") or {}
        settings, name = self._settings, str(self._config["module_name"])
        paths = ModulePaths(
            Path(settings["etc_dir"]),
            Path(settings["modules_dir"]) / name,
            Path(settings["data_dir"]) / "modules" / name,
        )
        authors, license_ = list(about.get("authors") or ()), str(about.get("license", ""))
        enabled = bool(self._config.get("telemetry_enabled", False))
        return ModuleInfo(name, authors, license_, self.module_id, enabled, paths)

    def mapping(self, implementation_id: str) -> dict[str, int] | None:
        """Return EVSE and connector of an implementation, else those of the module."""
        own = (self.mappings.get("implementations") or {}).get(implementation_id)
        return own or self.mappings.get("module")
