"""The network of a slot before each attempt: the system sets it up (`configure_network`), perhaps over a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.system import System
from chargebyte_fw.contracts.types import network
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.modules.ocpp.connection.effects import PrepareNetwork
from chargebyte_fw.modules.ocpp.connection.events import NetworkFailed, NetworkReady
from chargebyte_fw.modules.ocpp.variables import Variable, Variables
from chargebyte_fw.modules.ocpp.variables.standard import communication as comm

Status = network.ConfigureNetworkStatusEnum


class NetworkSetup:
    """Asks the system, and feeds its answer to the connection. The number of the attempt is that of the request."""

    def __init__(self, system: System, variables: Variables, feed: Callable[[Any], None]) -> None:
        self._system = system
        self._variables = variables
        self._feed = feed
        self._waits: int | None = None
        self._stop = system.configure_network_status.subscribe(self._finished, replay=False)

    def close(self) -> None:
        """Listen no more."""
        self._stop()

    async def prepare(self, effect: PrepareNetwork) -> None:
        """Ask for the network of a slot; a system that does not set networks up leaves it as it is."""
        self._waits = effect.attempt
        try:
            response = await self._system.configure_network(self._request(effect))
        except CommandError as error:
            self._feed(NetworkFailed(effect.attempt, str(error)))
            return
        if response.status in (Status.Ready, Status.NotSupported):
            ready = response.status is Status.Ready
            address = response.interface_address or "" if ready else ""
            self._feed(NetworkReady(effect.attempt, address))
        elif response.status is not Status.Processing:
            self._feed(NetworkFailed(effect.attempt, f"the system answers {response.status.value}"))

    def _finished(self, status: network.ConfigureNetworkStatus) -> None:
        if status.request_id != self._waits:
            return
        self._waits = None
        if status.status is network.ConfigureNetworkFinalStatusEnum.Ready:
            self._feed(NetworkReady(status.request_id, status.interface_address or ""))
        else:
            self._feed(NetworkFailed(status.request_id, "the system could not set it up"))

    def _request(self, effect: PrepareNetwork) -> network.ConfigureNetworkRequest:
        slot = effect.profile.slot
        kinds = {kind.value: kind for kind in network.InterfaceClass}
        return network.ConfigureNetworkRequest(
            request_id=effect.attempt,
            interface=kinds.get(effect.profile.interface, network.InterfaceClass.Any),
            apn=self._apn(slot) if self._at(comm.NETWORK_APN_ENABLED, slot) else None,
            vpn=self._vpn(slot) if self._at(comm.NETWORK_VPN_ENABLED, slot) else None,
        )

    def _at(self, variable: Variable[Any], slot: int) -> Any:
        return self._variables.find(variable.at(slot=slot))

    def _apn(self, slot: int) -> network.APN:
        pin = self._at(comm.NETWORK_SIM_PIN, slot)
        kinds = {kind.value: kind for kind in network.APNApnAuthentication}
        return network.APN(
            apn=self._at(comm.NETWORK_APN, slot) or "",
            apn_user_name=self._at(comm.NETWORK_APN_USER_NAME, slot),
            apn_password=self._at(comm.NETWORK_APN_PASSWORD, slot),
            sim_pin=None if pin is None else str(pin),
            preferred_network=self._at(comm.NETWORK_PREFERRED_NETWORK, slot),
            use_only_preferred_network=self._at(comm.NETWORK_USE_ONLY_PREFERRED, slot),
            apn_authentication=kinds.get(self._at(comm.NETWORK_APN_AUTHENTICATION, slot) or ""),
        )

    def _vpn(self, slot: int) -> network.VPN:
        kinds = {kind.value: kind for kind in network.VPNType}
        return network.VPN(
            server=self._at(comm.NETWORK_VPN_SERVER, slot) or "",
            type=kinds.get(self._at(comm.NETWORK_VPN_TYPE, slot) or "", network.VPNType.Other),
            user=self._at(comm.NETWORK_VPN_USER, slot),
            group=self._at(comm.NETWORK_VPN_GROUP, slot),
            password=self._at(comm.NETWORK_VPN_PASSWORD, slot),
            key=self._at(comm.NETWORK_VPN_KEY, slot),
        )
