"""The charger's facts over its broker, in EVerest's wire protocol (`secc run` with the wire on, its default)."""

from __future__ import annotations

import asyncio
import json
import logging
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.faults import FaultState
from chargebyte_fw.kernel.module import ModuleConfig
from chargebyte_fw.manager.mqtt.address import BrokerAddress, parse_address
from chargebyte_fw.manager.mqtt.client import MqttClient
from chargebyte_fw.manager.wire import envelope
from hil.drivers import Driver, Resource, Stage, active
from hil.protocols import Identity

IDENTITY_S = 3.0


class Broker(Resource):
    """The broker on the board."""

    class Options(ModuleConfig):
        """Where it is."""

        url: Annotated[str, Meta(description="mqtt://HOST:PORT")]
        prefix: Annotated[str, Meta(description="`mqtt_everest_prefix` of the charger.")] = "everest/"

    async def activate(self, stage: Stage) -> None:
        """Begin to connect: the broker may come with the board's power."""
        try:
            address = parse_address(self.options.url)
        except ValueError as error:
            raise Unavailable(f"{self.name}: {error}") from error
        self._connect(address)
        await super().activate(stage)

    def _connect(self, address: BrokerAddress) -> None:
        self.client = MqttClient(address)
        self.client.log.logger.addHandler(logging.NullHandler())  # a board without power has no broker: that is no news
        self.client.start()

    async def deactivate(self) -> None:
        """Disconnect."""
        if self.stage is not None:
            await self.client.stop()
        await super().deactivate()


class MqttDriver(Driver):
    """A driver that listens to the charger."""

    bindings = {"broker": "Broker"}

    @property
    def broker(self) -> Broker:
        """The broker."""
        broker: Broker = self.bound["broker"]
        return broker


class MqttCharger(MqttDriver):
    """Faults and session events as EVerest publishes them; commands through the API module."""

    protocol = "Charger"

    class Options(ModuleConfig):
        """Names in the charger's configuration."""

        connector: Annotated[str, Meta(description="Module id of the EvseManager.")] = "connector"
        supply: Annotated[str, Meta(description="`module/implementation` of the power supply.")] = "powersupply_dc/main"

    async def activate(self, stage: Stage) -> None:
        """Subscribe."""
        await super().activate(stage)
        prefix, client = f"{self.broker.options.prefix}modules/", self.broker.client
        supply_module, _, supply = self.options.supply.partition("/")
        self._faults: dict[str, str] = {}
        client.on_up.append(self._anew)
        self._stops = [
            client.subscribe(f"{prefix}+/impl/+/error/#", self._fault),
            client.subscribe(f"{prefix}{self.options.connector}/impl/evse/var/session_event", self._session),
            client.subscribe(f"{prefix}{supply_module}/impl/{supply}/var/voltage_current", self._output),
        ]

    async def deactivate(self) -> None:
        """Unsubscribe."""
        if self.stage is not None:
            for stop in self._stops:
                stop()
            self.broker.client.on_up.remove(self._anew)
        await super().deactivate()

    def _anew(self) -> None:
        """The board's broker is back: its retained values come again."""
        self._faults.clear()
        if self.stage is not None:
            self.recorder.put(faults=frozenset(), session="")

    def _fault(self, _topic: str, payload: bytes) -> None:
        try:
            fault = envelope.read_error(payload)
        except msgspec.MsgspecError:
            return  # another EVerest's dialect on the same broker: nothing of this charger's
        if fault.state is FaultState.Active:
            self._faults[fault.uuid] = fault.type
        else:
            self._faults.pop(fault.uuid, None)
        if self.stage is not None:
            self.recorder.put(faults=frozenset(self._faults.values()))

    def _variable(self, payload: bytes) -> Any:
        try:
            return envelope.read_variable(payload)
        except msgspec.MsgspecError:
            return None

    def _session(self, _topic: str, payload: bytes) -> None:
        event = self._variable(payload)
        if self.stage is not None and isinstance(event, dict):
            self.recorder.put(session=str(event.get("event", "")))

    def _output(self, _topic: str, payload: bytes) -> None:
        output = self._variable(payload)
        if self.stage is not None and isinstance(output, dict):
            self.recorder.put(supply_V=float(output["voltage_V"]), supply_A=float(output["current_A"]))

    @active
    async def command(self, name: str, payload: str) -> None:
        """Give an operator's command over the charger's API."""
        self.broker.client.publish(f"everest_api/{self.options.connector}/cmd/{name}", payload.encode())


class MqttImage(MqttDriver):
    """What runs, from the charger's API."""

    protocol = "Image"

    class Options(ModuleConfig):
        """Ask for what the charger does not publish by itself."""

        configuration: Annotated[str, Meta(description="Name of the configuration on the board.")] = ""

    @active
    async def identity(self) -> Identity:
        """Return the content of `everest_api/info/var/info`; empty fields where nothing comes."""
        received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        stop = self.broker.client.subscribe("everest_api/info/var/info", partial(_first, received))
        try:
            async with asyncio.timeout(IDENTITY_S):
                information: Any = json.loads(await received)
        except (TimeoutError, ValueError):
            information = {}
        finally:
            stop()
        firmware = information.get("firmware_version", "") if isinstance(information, dict) else ""
        return Identity(firmware=str(firmware), configuration=self.options.configuration)


def _first(received: asyncio.Future[bytes], _topic: str, payload: bytes) -> None:
    if not received.done():
        received.set_result(payload)
