"""SerialCommHub: a serial bus with Modbus RTU, for the drivers of what hangs on it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.serial_communication_hub import SerialCommunicationHub
from chargebyte_fw.contracts.types.serial_comm_hub_requests import Result, ResultBool, StatusCodeEnum, VectorUint16
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.kernel.lasting_condition import LastingConditions
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.kernel.module import Claim, Module, ModuleConfig, provides
from chargebyte_fw.kernel.paths import normal
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.modules.meter import messages
from chargebyte_fw.modules.meter.link import Line, SerialLink
from chargebyte_fw.modules.meter.machine import Asked, BusClient, Bytes, Done, Lost, Send, Timing, silence_s
from chargebyte_fw.modules.meter.messages import Function, Request

RETRY_S = 2.0
"""Before a port that is not there is opened again."""


class HubConfig(ModuleConfig):
    """The port and its protocol."""

    serial_port: Annotated[str, Meta(min_length=1, description="Serial port of the bus.")] = "/dev/ttyUSB0"
    baudrate: Annotated[int, Meta(ge=50, le=230_400, description="Rate, in Bd.")] = 9600
    parity: Annotated[int, Meta(ge=0, le=2, description="Parity: 0 none, 1 odd, 2 even.")] = 0
    rtscts: Annotated[bool, Meta(description="Use the handshake lines RTS and CTS.")] = False
    ignore_echo: Annotated[bool, Meta(description="What is sent comes back, and is no response.")] = False
    rxtx_gpio_chip: Annotated[str, Meta(description="GPIO chip of a direction line; not used, empty.")] = ""
    rxtx_gpio_line: Annotated[int, Meta(ge=0, description="Number of the line of that chip; not used.")] = 0
    rxtx_gpio_tx_high: Annotated[bool, Meta(description="Whether the line is high while sending.")] = False
    max_packet_size: Annotated[
        int, Meta(ge=7, le=65_536, description="Largest frame, in bytes; more registers are read in several requests.")
    ] = 256
    initial_timeout_ms: Annotated[int, Meta(ge=1, description="Time for the first byte of a response, in ms.")] = 500
    within_message_timeout_ms: Annotated[int, Meta(ge=1, description="Time between two bytes of it, in ms.")] = 100
    retries: Annotated[int, Meta(ge=0, le=10, description="Further tries of a request without a response.")] = 2


class _Hub(SerialCommunicationHub):
    """The bus."""

    module: SerialCommHub
    config: HubConfig

    async def modbus_read_holding_registers(
        self, target_device_id: int, first_register_address: int, num_registers_to_read: int
    ) -> Result:
        """Function code 3."""
        return await self._read(
            Function.READ_HOLDING_REGISTERS, target_device_id, first_register_address, num_registers_to_read
        )

    async def modbus_read_input_registers(
        self, target_device_id: int, first_register_address: int, num_registers_to_read: int
    ) -> Result:
        """Function code 4."""
        return await self._read(
            Function.READ_INPUT_REGISTERS, target_device_id, first_register_address, num_registers_to_read
        )

    async def _read(self, function: Function, device: int, first: int, count: int) -> Result:
        most = max(1, min(125, (self.config.max_packet_size - 5) // 2))
        value: list[int] = []
        while len(value) < count:
            some = min(most, count - len(value))
            try:
                request = messages.read(device, function, first + len(value), some)
            except ValueError as error:
                return Result(status_code=self._refuse(error))
            done = await self.module.ask(request)
            if done.body is None:
                return Result(status_code=_status(done))
            value += messages.registers(done.body)
        return Result(status_code=StatusCodeEnum.Success, value=value)

    async def modbus_write_multiple_registers(
        self, target_device_id: int, first_register_address: int, data_raw: VectorUint16
    ) -> StatusCodeEnum:
        """Function code 16."""
        try:
            request = messages.write_registers(target_device_id, first_register_address, data_raw.data)
        except ValueError as error:
            return self._refuse(error)
        return _status(await self.module.ask(request))

    async def modbus_write_single_register(
        self, target_device_id: int, register_address: int, data: int
    ) -> StatusCodeEnum:
        """Function code 6."""
        return _status(await self.module.ask(messages.write_register(target_device_id, register_address, data)))

    async def modbus_read_coils(
        self, target_device_id: int, first_coil_address: int, num_coils_to_read: int
    ) -> ResultBool:
        """Function code 1."""
        try:
            request = messages.read(target_device_id, Function.READ_COILS, first_coil_address, num_coils_to_read)
        except ValueError as error:
            return ResultBool(status_code=self._refuse(error))
        done = await self.module.ask(request)
        value = None if done.body is None else messages.coils(done.body, num_coils_to_read)
        return ResultBool(status_code=_status(done), value=value)

    async def modbus_write_single_coil(self, target_device_id: int, coil_address: int, data: bool) -> StatusCodeEnum:
        """Function code 5."""
        return _status(await self.module.ask(messages.write_coil(target_device_id, coil_address, data)))

    async def nonstd_write(
        self, target_device_id: int, first_register_address: int, num_registers_to_read: int
    ) -> None:
        """Refuse: there is no other protocol here."""
        self.module.log.debug("nonstd_write: there is no protocol but Modbus")

    async def nonstd_read(
        self, target_device_id: int, first_register_address: int, num_registers_to_read: int
    ) -> Result:
        """Refuse: there is no other protocol here."""
        return Result(status_code=StatusCodeEnum.Error)

    def _refuse(self, error: ValueError) -> StatusCodeEnum:
        self.module.log.debug("refused: %s", error)
        return StatusCodeEnum.Error


class SerialCommHub(Module):
    """A serial bus with Modbus RTU; requests of all drivers are carried out one after the other."""

    main = provides(_Hub, config=HubConfig, description="The bus.")

    @classmethod
    def claims(cls, config: Any, implementations: Mapping[str, Any]) -> Iterable[Claim]:
        """The port."""
        hub: HubConfig = implementations["main"]
        yield Claim("serial port", normal(hub.serial_port), "serial_port")

    async def init(self) -> None:
        """Open the port, where it is there."""
        config: HubConfig = self.main.config
        if config.rxtx_gpio_chip:
            # The kernel switches the line in time (RS-485 mode of the UART); a program cannot.
            self.log.warning("rxtx_gpio_chip is not used: set the direction line up as RS-485 mode of the port")
        self._number = 0
        self._answers: dict[int, asyncio.Future[Done]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._troubles = LastingConditions(self.log)
        timing = Timing(
            first_byte_s=config.initial_timeout_ms / 1000,
            next_byte_s=config.within_message_timeout_ms / 1000,
            tries=config.retries + 1,
            silence_s=silence_s(config.baudrate),
            echo=config.ignore_echo,
        )
        self.pump = Pump(BusClient(timing), self._act, self.crash)
        line = Line(config.serial_port, config.baudrate, config.parity, config.rtscts)
        file = self.runtime.root.read(config.serial_port)
        self._link = SerialLink(line, file, self.runtime.wires, self._received, self._lost)
        self._open()

    async def stop(self) -> None:
        """Give the port back."""
        if self._timer is not None:
            self._timer.cancel()
        self.pump.feed(Lost("the bus is stopped"))
        self.pump.close()
        self._link.close()
        self._troubles.close()

    async def ask(self, request: Request) -> Done:
        """Carry out a request."""
        if not self._link.is_open:
            return Done(0, None, "the port is not open")
        self._number += 1
        answer: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self._answers[self._number] = answer
        self.pump.feed(Asked(self._number, request))
        done = await answer
        failed = done.body is None
        text = f"device {request.device}: {done.reason}" if failed else f"device {request.device} answers again"
        self._troubles.set(f"device {request.device}", failed, text)
        return done

    def _open(self) -> None:
        try:
            self._link.open()
        except Unavailable as error:
            self._troubles.set("port", True, f"{error}; trying again every {RETRY_S:g} s")
            self._timer = self.after(RETRY_S, self._open)
        else:
            self._troubles.set("port", False, f"{self.main.config.serial_port} is open")

    def _received(self, data: bytes) -> None:
        self.runtime.trace.record("uart", self.id, data)
        self.pump.feed(Bytes(data))

    def _lost(self, reason: str) -> None:
        self.pump.feed(Lost(reason))
        self._troubles.set("port", True, reason)
        self._timer = self.after(RETRY_S, self._open)

    def _act(self, effect: Any) -> None:
        match effect:
            case Send(frame):
                self._link.send(frame)
            case Done(number):
                answer = self._answers.pop(number, None)
                if answer is not None and not answer.done():
                    answer.set_result(effect)
            case Unexpected():
                self.log.debug("bus: %s means nothing in %s", type(effect.event).__name__, effect.state)


def _status(done: Done) -> StatusCodeEnum:
    if done.body is not None:
        return StatusCodeEnum.Success
    return StatusCodeEnum.Timeout if done.silent else StatusCodeEnum.Error
