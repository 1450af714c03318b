"""OCPPExtensionExample: EVerest's example of an extension of OCPP by DataTransfer and variables of its own."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.types import ocpp as types
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires

VENDOR = "EVerest"
HEARTBEAT = "HeartbeatInterval"


class ExtensionConfig(ModuleConfig):
    """What is watched."""

    enable: Annotated[bool, Meta(description="Whether variables are watched.")] = True
    poll_interval: Annotated[float, Meta(gt=0, description="Time between two looks, in s (no effect).")] = 0.5
    id: Annotated[int, Meta(description="A number (no effect).")] = 100
    keys_to_monitor: Annotated[
        str, Meta(description="Names of the variables, separated by commas (keys of OCPP 1.6).")
    ] = "HeartbeatInterval,SecurityProfile,ExampleConfigurationKey"

    def variables(self) -> list[types.ComponentVariable]:
        """Return the variables; a component without a name stands for a key of OCPP 1.6."""
        names = [name.strip() for name in self.keys_to_monitor.split(",") if name.strip()]
        component = types.Component(name="")
        return [types.ComponentVariable(component=component, variable=types.Variable(name=name)) for name in names]


class _Transfer(OcppDataTransfer):
    """Data of the CSMS."""

    module: OCPPExtensionExample

    async def data_transfer(self, request: types.DataTransferRequest) -> types.DataTransferResponse:
        """Accept what the vendor EVerest sends, and send it back."""
        if request.vendor_id != VENDOR:
            return types.DataTransferResponse(status=types.DataTransferStatus.UnknownVendorId)
        return types.DataTransferResponse(status=types.DataTransferStatus.Accepted, data=request.data)


class OCPPExtensionExample(Module):
    """EVerest's example of an extension of OCPP: watches variables, sends and takes DataTransfer."""

    Config = ExtensionConfig
    enable_external_mqtt = True
    group = "cloud"

    config: ExtensionConfig
    data_transfer = provides(_Transfer, description="Data of the CSMS.")
    ocpp = requires(Ocpp)
    outgoing = requires(OcppDataTransfer, id="data_transfer")

    async def init(self) -> None:
        """Follow the variables."""
        self.ocpp.event_data.subscribe(self._on_event)

    async def ready(self) -> None:
        """Have the variables watched."""
        if self.config.enable:
            self.spawn(self._begin(), "extension")

    async def _begin(self) -> None:
        wanted = self.config.variables()
        try:
            await self.ocpp.monitor_variables(wanted)
            requests = [types.GetVariableRequest(component_variable=one) for one in wanted]
            for result in await self.ocpp.get_variables(requests):
                name = result.component_variable.variable.name
                self.log.info("%s: %s", name, result.value if result.value is not None else result.status)
            response = await self.outgoing.data_transfer(types.DataTransferRequest(vendor_id=VENDOR, data="hi"))
            self.log.info("the CSMS answers the data: %s", response.status)
        except CommandError as error:
            self.log.warning("OCPP does not take part: %s", error)

    def _on_event(self, event: types.EventData) -> None:
        name = event.component_variable.variable.name
        self.log.info("%s is %s now", name, event.actual_value)
        if name == HEARTBEAT:
            self.runtime.mqtt.publish("heartbeat-updated", "")
