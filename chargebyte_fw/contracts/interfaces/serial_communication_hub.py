"""EVerest interface `serial_communication_hub`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

from msgspec import Meta

from chargebyte_fw.contracts.types import serial_comm_hub_requests as requests
from chargebyte_fw.kernel.contract import Contract

Device = Annotated[int, Meta(ge=0, le=255)]
Word = Annotated[int, Meta(ge=0, le=65535)]
Count = Annotated[int, Meta(ge=1)]


class SerialCommunicationHub(Contract, interface="serial_communication_hub"):
    """Modbus on one serial port that several modules share."""

    @abstractmethod
    async def modbus_read_holding_registers(
        self, target_device_id: Device, first_register_address: Word, num_registers_to_read: Count
    ) -> requests.Result:
        """Function code 3."""

    @abstractmethod
    async def modbus_read_input_registers(
        self, target_device_id: Device, first_register_address: Word, num_registers_to_read: Count
    ) -> requests.Result:
        """Function code 4."""

    @abstractmethod
    async def modbus_write_multiple_registers(
        self, target_device_id: Device, first_register_address: Word, data_raw: requests.VectorUint16
    ) -> requests.StatusCodeEnum:
        """Function code 16."""

    @abstractmethod
    async def modbus_write_single_register(
        self, target_device_id: Device, register_address: Word, data: Word
    ) -> requests.StatusCodeEnum:
        """Function code 6."""

    @abstractmethod
    async def modbus_read_coils(
        self,
        target_device_id: Device,
        first_coil_address: Word,
        num_coils_to_read: Annotated[int, Meta(ge=1, le=65535)],
    ) -> requests.ResultBool:
        """Function code 1."""

    @abstractmethod
    async def modbus_write_single_coil(
        self, target_device_id: Device, coil_address: Word, data: bool
    ) -> requests.StatusCodeEnum:
        """Function code 5."""

    @abstractmethod
    async def nonstd_write(
        self, target_device_id: Device, first_register_address: Word, num_registers_to_read: Count
    ) -> None:
        """Write in a protocol other than Modbus."""

    @abstractmethod
    async def nonstd_read(
        self, target_device_id: Device, first_register_address: Word, num_registers_to_read: Word
    ) -> requests.Result:
        """Read in a protocol other than Modbus."""
