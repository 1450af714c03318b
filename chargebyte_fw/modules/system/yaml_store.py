"""YamlStore: a key-value store that only reads, from a YAML file that a person wrote."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.kvs import Kvs
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.modules.system.key_value import checked
from chargebyte_fw.modules.system.yaml_file import read_strings


class Values(Kvs):
    """The values of the file; they cannot be changed from here."""

    module: YamlStore

    async def store(self, key: str, value: Any) -> None:
        """Refuse: the file belongs to the person who wrote it."""
        raise ValueError(f"{self.module.config.file} is only read here, {key} cannot be stored")

    async def load(self, key: str) -> Any:
        """Return the text under `key`, None when there is none."""
        return self.module.values.get(checked(key))

    async def delete(self, key: str) -> None:
        """Refuse: the file belongs to the person who wrote it."""
        raise ValueError(f"{self.module.config.file} is only read here, {key} cannot be deleted")

    async def exists(self, key: str) -> bool:
        """Return whether the file has `key`."""
        return checked(key) in self.module.values


class YamlStore(Module):
    """Serves the values of a flat YAML file as strings."""

    group = "cloud"

    class Config(ModuleConfig):
        """Which file."""

        file: Annotated[str, Meta(min_length=1, description="Path of the YAML file.")]

    config: Config
    main = provides(Values, description="The values of the file.")

    values: dict[str, str]

    async def init(self) -> None:
        """Read the file. What is wrong with it is a line and a fault, and left out: a car charges without it, too."""
        self.values, findings = read_strings(self.runtime.root.read(self.config.file))
        for finding in findings:
            self.log.error("%s; going on without it", finding)
            self.set_aside.append(f"{self.id}: {finding.where}: {finding.what}")
