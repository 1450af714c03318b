"""Configuration values that are changed while the charger runs: checked, and kept in the user's overlay."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Protocol

import msgspec

from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import KeepValue
from chargebyte_fw.manager.configuration.loading import overlay_path
from chargebyte_fw.manager.configuration.overlay import FOLDER
from chargebyte_fw.manager.configuration.reading import read
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import plain
from chargebyte_fw.manager.configuration.values import base_type

WHOLE_MODULE = "!module"
"""EVerest's name of what belongs to a module as a whole."""
FILE_MODE = 0o640


class BadValue(ValueError):
    """A value that the parameter cannot have; the text is the reason."""


def parsed(config: ModuleConfig, name: str, text: str) -> Any:
    """Return the value of a parameter from its text as EVerest writes it; raises BadValue."""
    field = next((info for info in msgspec.structs.fields(config) if info.encode_name == name), None)
    if field is None:
        raise BadValue(f"there is no parameter {name}")
    bare = base_type(field.type)
    try:
        value: Any = text in ("true", "1") if bare is bool else bare(text) if bare in (int, float) else text
        return msgspec.convert(value, field.type)
    except (ValueError, OverflowError) as error:
        raise BadValue(f"{name} cannot be {text[:60]}: {error}") from None


def changed(config: ModuleConfig, name: str, value: Any) -> ModuleConfig:
    """Return the configuration with another value; raises BadValue where values do not go together."""
    field = next(info for info in msgspec.structs.fields(config) if info.encode_name == name)
    try:
        return msgspec.structs.replace(config, **{field.name: value})
    except ValueError as error:
        raise BadValue(str(error)) from None


class Keeper(Protocol):
    """Keeps changed values for the next start."""

    def keep(self, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        """Write a value; raises OSError, or BadValue for a place that cannot be read."""


def beside_the_loop(keeper: Keeper) -> KeepValue:
    """Return what keeps values in a thread: a disk may take its time."""

    async def keep(module_id: str, implementation_id: str, name: str, value: Any) -> None:
        await asyncio.to_thread(keeper.keep, module_id, implementation_id, name, value)

    return keep


class Overlay:
    """The user's overlay of one configuration, `user-config/<same name>` beside it, as JSON (which is YAML, too)."""

    def __init__(self, configuration: Path, root: Root) -> None:
        self._configuration = configuration
        self._root = root
        self._turn = threading.Lock()
        """Two values that come at the same time: the second one is added to what the first has written."""

    def keep(self, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        """Write a value for the next start; raises OSError, or BadValue for an overlay that cannot be read."""
        with self._turn:
            self._add(module_id, implementation_id, name, value)

    def _add(self, module_id: str, implementation_id: str, name: str, value: Any) -> None:
        # Imported only here: SQLite comes with it.
        from chargebyte_fw.kernel.store import write_whole

        content = self._content()
        entry = content.setdefault("active_modules", {}).setdefault(module_id, {})
        if implementation_id == WHOLE_MODULE:
            values = entry.setdefault("config_module", {})
        else:
            values = entry.setdefault("config_implementation", {}).setdefault(implementation_id, {})
        values[name] = msgspec.to_builtins(value)
        target = self._target()
        target.parent.mkdir(parents=True, exist_ok=True)
        write_whole(target, msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n", FILE_MODE)

    def _content(self) -> dict[str, Any]:
        path = overlay_path(self._configuration, self._root)
        if not path.is_file():
            return {}
        report = Report()
        document = read(path, report)
        if document is None or report.findings:
            raise BadValue(f"{path} cannot be read; nothing is added to it")
        content: dict[str, Any] = plain(document)
        return content

    def _target(self) -> Path:
        if not self._configuration.is_relative_to(self._root.static):
            return self._configuration.parent / FOLDER / self._configuration.name
        folder = self._configuration.parent.relative_to(self._root.static)
        return self._root.write(f"/{folder}/{FOLDER}/{self._configuration.name}")
