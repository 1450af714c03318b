"""The providers of value-added services (`iso15118_vas`): what they offer, their parameters, what the car selected."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.types import iso15118_vas as vas
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.log import ModuleLog


class ValueAddedServices:
    """Services by id, each of one provider: the one that offered it first, for as long as it does."""

    def __init__(
        self, providers: Sequence[Iso15118Vas], log: ModuleLog, changed: Callable[[dict[int, vas.OfferedService]], None]
    ) -> None:
        self._providers = providers
        self._log = log
        self._changed = changed
        self._services: list[list[vas.OfferedService]] = [[] for _ in providers]
        """What each provider offers."""
        self._used: set[int] = set()
        """Providers of which a car has selected something."""

    def subscribe(self) -> None:
        """Follow the offers."""
        for place, provider in enumerate(self._providers):
            provider.offered_vas.subscribe(partial(self._offered, place))

    def _offered(self, place: int, offered: vas.OfferedServices) -> None:
        taken = {owner: services for owner, services in enumerate(self._services) if owner != place}
        others = {one.service_id for services in taken.values() for one in services}
        for one in offered.services:
            if one.service_id in others:
                text = "service %d is offered by two providers: the one that offered it first keeps it"
                self._log.warning(text, one.service_id)
        self._services[place] = [one for one in offered.services if one.service_id not in others]
        self._changed({one.service_id: one for services in self._services for one in services})

    def _provider(self, service_id: int) -> Iso15118Vas | None:
        for provider, services in zip(self._providers, self._services, strict=True):
            if any(service.service_id == service_id for service in services):
                return provider
        return None

    async def parameters(self, service_id: int) -> list[vas.ParameterSet] | None:
        """Return the parameter sets of a service, None where its provider fails or there is none."""
        provider = self._provider(service_id)
        try:
            return None if provider is None else await provider.get_service_parameters(service_id)
        except CommandError as error:
            self._log.warning("service %d: %s", service_id, error)
            return None

    async def select(self, selected: Sequence[tuple[int, int]]) -> None:
        """Pass (service id, parameter set id) on to the provider of each, and nothing to one that is given up."""
        for place, (provider, services) in enumerate(zip(self._providers, self._services, strict=True)):
            own = {service.service_id for service in services}
            chosen = [
                vas.SelectedService(service_id=service_id, parameter_set_id=set_id)
                for service_id, set_id in selected
                if service_id in own
            ]
            if not chosen and place not in self._used:
                continue
            self._used = self._used | {place} if chosen else self._used - {place}
            try:
                await provider.selected_services(chosen)
            except CommandError as error:
                self._log.warning("selected services: %s", error)
