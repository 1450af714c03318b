"""StaticISO15118VASProvider: value-added services from a file, with fixed parameters."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.types import iso15118_vas as vas
from chargebyte_fw.kernel.errors import ConfigError, Finding
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides
from chargebyte_fw.modules.v2g.service_file import StaticService, read_services


class StaticServices(Iso15118Vas):
    """Interface `ISO15118_vas`."""

    module: StaticISO15118VASProvider

    async def get_service_parameters(self, service_id: int) -> list[vas.ParameterSet]:
        """Return the parameter sets of a service as the file has them."""
        service = self.module.services.get(service_id)
        return [] if service is None else list(service.sets)

    async def selected_services(self, selected_services: list[vas.SelectedService]) -> None:
        """Log what the car has selected: a service of a file does nothing."""
        for one in selected_services:
            self.module.log.info("selected: service %d with parameter set %d", one.service_id, one.parameter_set_id)


class StaticISO15118VASProvider(Module):
    """Offers the services of a file."""

    class Config(ModuleConfig):
        """Where the services are."""

        service_file: Annotated[
            str,
            Meta(
                min_length=1,
                description="YAML file with the services: `services: [{id, name?, scope?, free_service?, "
                "parameter_sets: [{id, parameters: [{name, type: bool|int8|int16|int32|string|rational, value}]}]}]`.",
            ),
        ]

    config: Config
    group = "cloud"
    iso15118_vas = provides(StaticServices, description="The services of the file.")

    async def init(self) -> None:
        """Read the file; raises ConfigError for one that is missing or wrong."""
        file = self.config.service_file
        try:
            data = self.runtime.root.read(file).read_bytes()
        except OSError as error:
            raise ConfigError(
                [Finding(f"{self.id}.service_file", f"{file}: {error.strerror}", number="C210")]
            ) from None
        self.services: dict[int, StaticService] = read_services(data, file)

    async def ready(self) -> None:
        """Offer the services."""
        offers = [service.offer for service in self.services.values()]
        self.iso15118_vas.offered_vas.publish(vas.OfferedServices(services=offers))
