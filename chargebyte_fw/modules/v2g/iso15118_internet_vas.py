"""Iso15118InternetVas: the car's way into the internet over the powerline link, for the time of its session."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_vas import Iso15118Vas
from chargebyte_fw.contracts.types import iso15118_vas as vas
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.module import ConfigIssue, End, Module, ModuleConfig, provides, requires_optional
from chargebyte_fw.modules.v2g.setup_script_link import run_script

SERVICE_ID = 3
SETS = {3: ("http", 80), 4: ("https", 443)}
"""Protocol and port by the ids of the parameter sets (ISO 15118-2 table 107)."""
SCRIPTS = "/usr/libexec/chargebyte"


class InternetVasConfig(ModuleConfig):
    """Configuration of the way into the internet."""

    ev_interface: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,15}$", description="Network interface of the powerline modem.")
    ] = "eth1"
    modem_interface: Annotated[
        str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,15}$", description="Network interface that leads to the internet.")
    ] = "eth0"
    http_support: Annotated[bool, Meta(description="Offer HTTP, port 80.")] = True
    https_support: Annotated[bool, Meta(description="Offer HTTPS, port 443.")] = True
    vas_setup_script: Annotated[
        str,
        Meta(
            min_length=1,
            description="Script that opens and closes the way: `<script> up|down <ev_interface> <modem_interface> "
            "<ports>`; a name without a folder is in /usr/libexec/chargebyte.",
        ),
    ] = "vas-internet-setup.sh"


class InternetService(Iso15118Vas):
    """Interface `ISO15118_vas`."""

    module: Iso15118InternetVas

    async def get_service_parameters(self, service_id: int) -> list[vas.ParameterSet]:
        """Return protocols and ports."""
        return self.module.parameter_sets() if service_id == SERVICE_ID else []

    async def selected_services(self, selected_services: list[vas.SelectedService]) -> None:
        """Open the way for the ports that the car has selected."""
        chosen = {one.parameter_set_id for one in selected_services if one.service_id == SERVICE_ID}
        ports = [port for number, (_, port) in self.module.offered.items() if number in chosen]
        if chosen and not ports:
            self.module.log.warning("the car selected parameter set %s, which is not offered", sorted(chosen))
        self.module.want(ports)


class Iso15118InternetVas(Module):
    """Opens the way into the internet for a car that selects the service, until its session ends."""

    Config = InternetVasConfig
    config: InternetVasConfig
    group = "cloud"
    iso15118_vas = provides(InternetService, description="Access to the internet.")
    evse_manager = requires_optional(EvseManager)

    @classmethod
    def config_issues(cls, config: InternetVasConfig, ends: Mapping[str, Sequence[End]]) -> Iterable[ConfigIssue]:
        """Return what cannot work."""
        if not (config.http_support or config.https_support):
            yield ConfigIssue(
                "http_support", "neither HTTP nor HTTPS is offered", "switch one of them on", number="C114"
            )
        if config.ev_interface == config.modem_interface:
            yield ConfigIssue(
                "modem_interface", f"{config.ev_interface} leads to the car and to the internet", number="C115"
            )
        if not ends.get("evse_manager"):
            yield ConfigIssue(
                "evse_manager",
                "without it the end of a session is not known: the way stays open until the next selection",
                "connect the EVSE whose cars get the service",
                "warning",
                "C116",
            )

    @property
    def offered(self) -> dict[int, tuple[str, int]]:
        """Protocol and port by parameter set, those that are configured."""
        wanted = {"http": self.config.http_support, "https": self.config.https_support}
        return {number: one for number, one in SETS.items() if wanted[one[0]]}

    def parameter_sets(self) -> list[vas.ParameterSet]:
        """Return what is offered as the interface has it."""
        return [
            vas.ParameterSet(
                set_id=number,
                parameters=[
                    vas.Parameter(name="Protocol", value=vas.ParameterValue(finite_string=protocol)),
                    vas.Parameter(name="Port", value=vas.ParameterValue(int_value=port)),
                ],
            )
            for number, (protocol, port) in self.offered.items()
        ]

    async def init(self) -> None:
        """Follow the sessions of the EVSE."""
        name = self.config.vas_setup_script
        self._script: Path = self.runtime.root.read(name if "/" in name else f"{SCRIPTS}/{name}")
        self._wanted = self._open = ""
        self._working = asyncio.Lock()
        self._possible = self._script.is_file()
        if not self._possible:
            self.log.warning("%s is not there: the service is not offered", self._script)
        if self.evse_manager is not None:
            self.evse_manager.session_event.subscribe(self._on_session_event, replay=False)

    async def ready(self) -> None:
        """Offer the service."""
        offers = [vas.OfferedService(service_id=SERVICE_ID)] if self.offered and self._possible else []
        self.iso15118_vas.offered_vas.publish(vas.OfferedServices(services=offers))

    async def stop(self) -> None:
        """Close the way."""
        self._wanted = ""
        await self._follow()

    def _on_session_event(self, event: SessionEvent) -> None:
        if event.event in (SessionEventEnum.SessionStarted, SessionEventEnum.SessionFinished):
            self.want([])

    def want(self, ports: Sequence[int]) -> None:
        """Open the way for these ports and no others; none: close it."""
        self._wanted = ",".join(map(str, ports))
        if self._wanted != self._open or self._working.locked():
            self.spawn(self._follow(), "internet")

    async def _follow(self) -> None:
        """Close what is open and open what is wanted, one script after the other."""
        async with self._working:
            if self._open == self._wanted:
                return
            if self._open:
                await self._run("down", self._open)
                self._open = ""
            if self._wanted:
                self._open = self._wanted
                if not await self._run("up", self._open):
                    # What it has set up before it failed must go as well; the car asks again in its next session.
                    await self._run("down", self._open)
                    self._open = self._wanted = ""

    async def _run(self, what: str, ports: str) -> bool:
        config = self.config
        try:
            await run_script(self._script, (what, config.ev_interface, config.modem_interface, ports))
        except Unavailable as error:
            self.log.warning("way into the internet: %s", error)
            return False
        self.log.info("way into the internet %s, ports %s", "open" if what == "up" else "closed", ports)
        return True
