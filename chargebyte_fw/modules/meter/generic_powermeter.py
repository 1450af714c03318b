"""GenericPowermeter: a meter on a Modbus bus, described by a file of its registers."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.powermeter import Powermeter
from chargebyte_fw.contracts.interfaces.serial_communication_hub import SerialCommunicationHub
from chargebyte_fw.contracts.types import powermeter, units
from chargebyte_fw.contracts.types.serial_comm_hub_requests import Result, StatusCodeEnum
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.errors import CommandError, ConfigError, Finding
from chargebyte_fw.kernel.lasting_condition import LastingCondition
from chargebyte_fw.kernel.module import Module, ModuleConfig, provides, requires
from chargebyte_fw.modules.meter.registers import Model, Value, read_model

PERIOD_S = 1.0
FAILURES = 3
"""Readings in a row that fail before the meter is reported as gone."""
FAULT = "powermeter/CommunicationFault"
FOLDER = "/usr/share/everest/modules/GenericPowermeter/models"
"""Where further models are."""
_HIGHEST_EXPONENT = 30


class Unread(Exception):
    """A value could not be read; the text has the reason."""


class MeterConfig(ModuleConfig):
    """The meter."""

    model: Annotated[str, Meta(min_length=1, description="Name of the file that describes the meter.")] = "test_dummy"
    powermeter_device_id: Annotated[int, Meta(ge=1, le=247, description="Its address on the bus.")] = 1
    modbus_base_address: Annotated[
        int, Meta(ge=0, le=65_535, description="Number of the register with address 0 in the file of the model.")
    ] = 30_001


class _Meter(Powermeter):
    """The meter."""

    config: MeterConfig

    async def start_transaction(self, value: powermeter.TransactionReq) -> powermeter.TransactionStartResponse:
        """Decline: such a meter signs nothing."""
        return powermeter.TransactionStartResponse(
            status=powermeter.TransactionRequestStatus.NOT_SUPPORTED, error="this meter signs no transactions"
        )

    async def stop_transaction(self, transaction_id: str) -> powermeter.TransactionStopResponse:
        """Decline: such a meter signs nothing."""
        return powermeter.TransactionStopResponse(
            status=powermeter.TransactionRequestStatus.NOT_SUPPORTED, error="this meter signs no transactions"
        )


class GenericPowermeter(Module):
    """A meter on a Modbus bus, described by a file of its registers."""

    main = provides(_Meter, config=MeterConfig, description="The meter.")
    serial_comm_hub = requires(SerialCommunicationHub)

    async def init(self) -> None:
        """Read the model; raises ConfigError for one that is none."""
        self._model = self._read_model()
        self._silent = LastingCondition(self.log)
        self._failures = 0

    def _read_model(self) -> Model:
        name = self.main.config.model
        try:
            return read_model(name, self.runtime.root.read(FOLDER))
        except ValueError as error:
            raise ConfigError(
                [Finding(f"{self.id}.main.model", str(error), "name another model", number="C211")]
            ) from error

    async def ready(self) -> None:
        """Begin to read."""
        self.spawn(self._read_for_ever(), "meter")

    async def stop(self) -> None:
        """Read no more."""
        self._silent.close()

    async def _read_for_ever(self) -> None:
        while True:
            try:
                value = await self._reading()
            except (Unread, CommandError) as error:
                self._failed(str(error))
            else:
                self._failures = 0
                self._silent.end("the meter answers")
                self.main.faults.clear(FAULT)
                # Only what was just read is published: an old value with a new time would be believed.
                self.main.powermeter.publish(value)
            await asyncio.sleep(PERIOD_S)

    def _failed(self, reason: str) -> None:
        self._failures += 1
        self._silent.begin(f"the meter cannot be read: {reason}")
        if self._failures >= FAILURES:
            self.main.faults.raise_fault(FAULT, f"The meter cannot be read: {reason}")

    async def _reading(self) -> powermeter.Powermeter:
        found: dict[str, dict[str, float]] = {}
        for name, quantity in self._model.quantities():
            found[name] = {place: await self._value(value) for place, value in quantity.values()}
        return reading_from_values(found, self.id)

    async def _value(self, value: Value) -> float:
        words = await self._words(value.function_code_start_reg, value.start_register, value.num_registers)
        exponent = 0
        if value.exponent_register:
            (word,) = await self._words(value.function_code_exp_reg, value.exponent_register, 1)
            exponent = word - 0x10000 if word & 0x8000 else word
            if abs(exponent) > _HIGHEST_EXPONENT:
                raise Unread(f"register {value.exponent_register} holds no exponent: {exponent}")
        try:
            return value.number(words, exponent)
        except ValueError as error:
            raise Unread(str(error)) from error

    async def _words(self, function: int, register: int, count: int) -> list[int]:
        config: MeterConfig = self.main.config
        address = register - config.modbus_base_address
        if not 0 <= address <= 0xFFFF:
            raise Unread(f"register {register} lies below base address {config.modbus_base_address}")
        hub = self.serial_comm_hub
        read: Any = hub.modbus_read_holding_registers if function == 3 else hub.modbus_read_input_registers
        result: Result = await read(config.powermeter_device_id, address, count)
        if result.status_code is not StatusCodeEnum.Success or result.value is None:
            raise Unread(f"register {register}: {result.status_code}")
        if len(result.value) != count:
            raise Unread(f"register {register}: {len(result.value)} values for {count}")
        return result.value


def reading_from_values(found: dict[str, dict[str, float]], meter_id: str) -> powermeter.Powermeter:
    """Return what was read, in the words of the contract; a sum that the meter lacks is made of its phases."""

    def with_total(name: str) -> dict[str, float] | None:
        values = found.get(name) or {}
        if not values:
            return None
        return {"total": sum(values.values()), **values} if "total" not in values else values

    def of_phases(name: str) -> dict[str, float] | None:
        """Of a quantity without a sum the first value is that of DC."""
        values = found.get(name) or {}
        return {("DC" if place == "total" else place): value for place, value in values.items()} or None

    frequency = found.get("frequency_Hz") or {}
    imported, exported, power = (with_total(name) for name in ("energy_Wh_import", "energy_Wh_export", "power_W"))
    reactive, voltage, current = with_total("reactive_power_VAR"), of_phases("voltage_V"), of_phases("current_A")
    return powermeter.Powermeter(
        timestamp=rfc3339(utc_now()),
        meter_id=meter_id,
        energy_Wh_import=units.Energy(**(imported or {"total": 0.0})),
        energy_Wh_export=None if exported is None else units.Energy(**exported),
        power_W=None if power is None else units.Power(**power),
        voltage_V=None if voltage is None else units.Voltage(**voltage),
        VAR=None if reactive is None else units.ReactivePower(**reactive),
        current_A=None if current is None else units.Current(**current),
        frequency_Hz=units.Frequency(L1=frequency.get("total", frequency.get("L1", 0.0))) if frequency else None,
    )
