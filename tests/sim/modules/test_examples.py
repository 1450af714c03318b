"""EVerest's examples: two modules that use each other, and an extension of OCPP."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.types import ocpp as types
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.system.store import Store
from chargebyte_fw.sim.idle import idle
from chargebyte_fw.sim.modules.example import Example
from chargebyte_fw.sim.modules.example_user import ExampleUser
from chargebyte_fw.sim.modules.ocpp_extension_example import OCPPExtensionExample
from tests.api.everest_api.broker import Broker


def test_the_example_is_used(run: Any, assemble: Any, runtime: Runtime, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    runtime.mqtt = broker = Broker()

    async def main() -> None:
        assembly = assemble(
            store=(Store,),
            example=(
                Example,
                {},
                {"kvs": "store.main"},
                {"example": {"current": 42, "enum_test": "one", "enum_test2": 2}},
            ),
            user=(ExampleUser, {}, {"example": "example.example"}),
        )
        await assembly.start()
        await asyncio.sleep(1)
        assert "the example has a value under hello_there" in caplog.text
        example: Any = assembly.provider("example", "example")
        assert example.max_current.value == 42.0
        store: Any = assembly.provider("example", "store")
        assert await store.load("test") == "test" and await store.exists("hello_there")
        await store.delete("test")
        await store.store("other", 1)
        assert not await store.exists("test")
        broker.client("external/a", "news")
        assert "external/a: news" in caplog.text and "external/topic" in broker.topics()
        await assembly.stop()

    run(main())


class Station(Module):
    """The OCPP module."""

    ocpp: Any = provides(idle(Ocpp))
    transfer: Any = provides(idle(OcppDataTransfer))

    async def init(self) -> None:
        self.monitored: list[str] = []

        async def monitor(wanted: Any) -> None:
            self.monitored = [one.variable.name for one in wanted]

        async def get(requests: Any) -> list[Any]:
            return []

        async def transfer(request: Any) -> types.DataTransferResponse:
            return types.DataTransferResponse(status=types.DataTransferStatus.UnknownVendorId)

        self.ocpp.monitor_variables, self.ocpp.get_variables = monitor, get
        self.transfer.data_transfer = transfer


def test_an_extension_of_ocpp(run: Any, assemble: Any, runtime: Runtime, caplog: Any) -> None:
    caplog.set_level(logging.INFO)
    runtime.mqtt = broker = Broker()

    async def main() -> None:
        assembly = assemble(
            station=(Station,),
            extension=(
                OCPPExtensionExample,
                {"keys_to_monitor": "HeartbeatInterval, Other"},
                {"ocpp": "station.ocpp", "data_transfer": "station.transfer"},
            ),
        )
        await assembly.start()
        await asyncio.sleep(1)
        station: Any = assembly.modules["station"]
        assert station.monitored == ["HeartbeatInterval", "Other"]
        assert "the CSMS answers the data: UnknownVendorId" in caplog.text
        extension: Any = assembly.provider("extension", "data_transfer")
        sent = types.DataTransferRequest(vendor_id="EVerest", data="x")
        assert (await extension.data_transfer(sent)).data == "x"
        other = types.DataTransferRequest(vendor_id="Other")
        assert (await extension.data_transfer(other)).status is types.DataTransferStatus.UnknownVendorId
        variable = types.ComponentVariable(
            component=types.Component(name=""), variable=types.Variable(name="HeartbeatInterval")
        )
        station.ocpp.event_data.publish(
            types.EventData(
                component_variable=variable,
                event_id=1,
                timestamp="2026-01-01T00:00:00Z",
                trigger=types.EventTriggerEnum.Alerting,
                actual_value="60",
                event_notification_type=types.EventNotificationType.CustomMonitor,
            )
        )
        await asyncio.sleep(1)
        assert "heartbeat-updated" in broker.topics()
        await assembly.stop()

    run(main())
