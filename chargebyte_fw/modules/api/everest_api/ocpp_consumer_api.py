"""ocpp_consumer_API: lets clients of MQTT take part in OCPP: variables, availability, events, DataTransfer."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from chargebyte_fw.contracts.interfaces.generic_error import GenericError
from chargebyte_fw.contracts.interfaces.ocpp import Ocpp
from chargebyte_fw.contracts.interfaces.ocpp_data_transfer import OcppDataTransfer
from chargebyte_fw.contracts.types import ocpp as types
from chargebyte_fw.kernel.module import provides, requires
from chargebyte_fw.modules.api.everest_api.bridge import Bridge, Latched, RequestingConsumerConfig
from chargebyte_fw.modules.api.everest_api.driver import Ask, driven_by_client

T = TypeVar("T")


class _Items(msgspec.Struct, Generic[T]):
    items: list[T]


class _Variables(msgspec.Struct):
    variables: _Items[types.SetVariableRequest]
    source: str


class Period(types.ChargingSchedulePeriod, kw_only=True, omit_defaults=True):
    """One period as clients get it: interface `ocpp` has a number for the truth value of OCPP."""

    preconditioning_request: bool | None = None


class Schedule(types.ChargingSchedule, kw_only=True, omit_defaults=True):
    """One schedule as clients get it."""

    charging_schedule_period: list[Period]  # type: ignore[assignment]


class Schedules(types.ChargingSchedules, kw_only=True, omit_defaults=True):
    """Payload of `charging_schedules`."""

    schedules: list[Schedule]  # type: ignore[assignment]


def _schedules(value: types.ChargingSchedules) -> Schedules:
    found = msgspec.to_builtins(value)
    for schedule in found["schedules"]:
        for period in schedule["charging_schedule_period"]:
            if "preconditioning_request" in period:
                period["preconditioning_request"] = bool(period["preconditioning_request"])
    return msgspec.convert(found, Schedules)


_OFFLINE = types.DataTransferResponse(status=types.DataTransferStatus.Offline)
_COMMANDS = {"data_transfer": Ask("data_transfer_incoming", types.DataTransferResponse, _OFFLINE)}


class ocpp_consumer_API(Bridge):
    """Lets clients of MQTT take part in OCPP."""

    Config = RequestingConsumerConfig
    group = "cloud"
    api_type = "ocpp_consumer"
    watched = ("generic_error", "generic/CommunicationFault")

    main = provides(driven_by_client(OcppDataTransfer, _COMMANDS), description="Data of the CSMS for the client.")
    generic_error = provides(driven_by_client(GenericError, {}), description="Faults of the client.")
    ocpp = requires(Ocpp)
    data_transfer = requires(OcppDataTransfer)

    def open(self) -> None:
        """Declare what clients see and may do."""
        station = self.ocpp
        self.serve("data_transfer_outgoing", types.DataTransferRequest, self.data_transfer.data_transfer)
        self.serve("get_variables", _Items[types.GetVariableRequest], self._get_variables)
        self.serve("set_variables", _Variables, self._set_variables)
        self.serve("change_availability", types.ChangeAvailabilityRequest, station.change_availability)
        self.serve("monitor_variables", _Items[types.ComponentVariable], self._monitor, replies=False)
        self.serve("security_event", types.SecurityEvent, station.security_event_, replies=False)
        for name in (
            "ocpp_transaction_event",
            "security_event",
            "boot_notification_response",
            "event_data",
            "ocpp_message",
        ):
            self.forward(name, getattr(station, name))
        self.forward("charging_schedules", station.charging_schedules, _schedules)
        status, connected = Latched(self, "connection_status"), Latched(self, "is_connected")

        def on_status(value: types.ConnectionStatus) -> None:
            status.publish(value)
            connected.publish(value.connected)

        station.connection_status.subscribe(on_status)

    async def _get_variables(self, asked: _Items[types.GetVariableRequest]) -> dict[str, Any]:
        return {"items": await self.ocpp.get_variables(asked.items)}

    async def _set_variables(self, asked: _Variables) -> dict[str, Any]:
        return {"items": await self.ocpp.set_variables(asked.variables.items, asked.source)}

    async def _monitor(self, asked: _Items[types.ComponentVariable]) -> None:
        await self.ocpp.monitor_variables(asked.items)
