"""SerialCommHub: Modbus RTU on a wire in memory and on a pseudo-terminal; damaged, late and missing responses."""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.serial_comm_hub_requests import StatusCodeEnum, VectorUint16
from chargebyte_fw.kernel import clock, memory
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.meter import messages
from chargebyte_fw.modules.meter.machine import MOST_WAITING, Asked, BusClient, Bytes, Done, Lost, Send, Timing
from chargebyte_fw.modules.meter.messages import BadFrame, Function, Refused
from chargebyte_fw.modules.meter.serial_comm_hub import SerialCommHub
from tests.meter.device import Device, checked

PORT = "/dev/ttyUSB0"
GOOD = StatusCodeEnum.Success


def test_the_crc_of_a_known_frame() -> None:
    """The example of the serial line specification's readers: read ten holding registers of device 1."""
    assert messages.read(1, Function.READ_HOLDING_REGISTERS, 0, 10).to_bytes() == bytes.fromhex("01030000000ac5cd")
    assert messages.write_coil(17, 0xAC, True).to_bytes() == bytes.fromhex("110500acff004e8b")


@pytest.fixture
def on_bus(run: Any, assemble: Any, runtime: Runtime) -> Any:
    def begin(what: Any, **config: Any) -> None:
        async def main() -> None:
            ours, theirs = memory.wire()
            runtime.wires.plug(f"serial:{PORT}", ours)
            device = Device(theirs)
            assembly = assemble(hub=(SerialCommHub, {}, {}, {"main": config}))
            await assembly.start()
            await what(assembly.provider("hub", "main"), device)
            assert not assembly.modules["hub"].failed.done()
            await assembly.stop()

        run(main())

    return begin


def test_registers_and_coils_are_read_and_written(on_bus: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        device.hold(3, 100, 1, 2, 65535)
        device.hold(4, 0, 7)
        found = await hub.modbus_read_holding_registers(1, 100, 3)
        assert (found.status_code, found.value) == (GOOD, [1, 2, 65535])
        assert (await hub.modbus_read_input_registers(1, 0, 1)).value == [7]
        assert await hub.modbus_write_single_register(1, 100, 9) is GOOD
        assert await hub.modbus_write_multiple_registers(1, 101, VectorUint16(data=[8, 7])) is GOOD
        assert (await hub.modbus_read_holding_registers(1, 100, 3)).value == [9, 8, 7]
        assert await hub.modbus_write_single_coil(1, 9, True) is GOOD
        assert (await hub.modbus_read_coils(1, 0, 10)).value == [False] * 9 + [True]
        assert await hub.modbus_write_single_register(0, 5, 1) is GOOD, "a broadcast has no response"

    on_bus(look)


def test_many_registers_are_read_in_several_requests(on_bus: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        device.hold(3, 0, *range(300))
        assert (await hub.modbus_read_holding_registers(1, 0, 300)).value == list(range(300))
        assert len(device.requests) == 3
        for first, count in ((65_000, 1000), (0, 100_000)):
            assert (await hub.modbus_read_holding_registers(1, first, count)).status_code is StatusCodeEnum.Error
        assert (await hub.modbus_read_coils(1, 0, 3000)).status_code is StatusCodeEnum.Error
        too_many = VectorUint16(data=[0] * 200)
        assert await hub.modbus_write_multiple_registers(1, 0, too_many) is StatusCodeEnum.Error

    on_bus(look)


def test_a_refusal_is_not_asked_again(on_bus: Any, caplog: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        assert (await hub.modbus_read_holding_registers(1, 5, 1)).status_code is StatusCodeEnum.Error
        assert len(device.requests) == 1
        assert "device 1: refused: illegal data address" in caplog.text

    on_bus(look)


def test_a_device_that_is_silent_is_asked_three_times(on_bus: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        begun = asyncio.get_running_loop().time()
        assert (await hub.modbus_read_holding_registers(2, 5, 1)).status_code is StatusCodeEnum.Timeout
        assert len(device.requests) == 3
        assert asyncio.get_running_loop().time() - begun == pytest.approx(1.5, abs=0.1)

    on_bus(look)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,)),
        lambda frame: frame[:4],
        lambda frame: frame + b"\0",
        lambda frame: checked(b"\x02" + frame[1:-2]),
        lambda frame: checked(frame[:1] + b"\x04" + frame[2:-2]),
        lambda frame: checked(frame[:2] + b"\x04" + frame[3:-2] + b"\0\0"),
        lambda frame: b"\x01\x2b\x00",
    ],
    ids=["crc", "short", "long", "device", "function", "count", "unknown"],
)
def test_a_damaged_response_is_asked_for_again(on_bus: Any, spoil: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        device.hold(3, 0, 42)

        def once(frame: bytes) -> bytes:
            device.spoil = lambda frame: frame
            return bytes(spoil(frame))

        device.spoil = once
        assert (await hub.modbus_read_holding_registers(1, 0, 1)).value == [42]
        assert len(device.requests) == 2

    on_bus(look)


def test_an_echo_is_no_response(on_bus: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        device.echo = True
        device.hold(3, 0, 42)
        assert (await hub.modbus_read_holding_registers(1, 0, 1)).value == [42]
        assert len(device.requests) == 1

    on_bus(look, ignore_echo=True)


def test_requests_of_several_drivers_take_turns(on_bus: Any) -> None:
    async def look(hub: Any, device: Device) -> None:
        device.hold(3, 0, *range(50))
        found = await asyncio.gather(*(hub.modbus_read_holding_registers(1, one, 1) for one in range(50)))
        assert [one.value for one in found] == [[one] for one in range(50)]

    on_bus(look)


def test_requests_that_wait_are_bounded_and_end_with_the_port() -> None:
    client = BusClient(Timing())
    request = messages.read(1, Function.READ_HOLDING_REGISTERS, 0, 1)
    effects = [one for number in range(MOST_WAITING + 2) for one in client.feed(Asked(number, request), 0.0)]
    assert [type(one) for one in effects] == [Send, Done]
    given_up = client.feed(Lost("gone"), 1.0)
    assert len(given_up) == MOST_WAITING + 1 and {one.reason for one in given_up} == {"gone"}
    assert client.deadline is None


@given(chunks=st.lists(st.binary(max_size=20), max_size=20))
def test_no_bytes_break_the_client(chunks: list[bytes]) -> None:
    client = BusClient(Timing(tries=2))
    now, done = 0.0, 0
    request = messages.read(1, Function.READ_HOLDING_REGISTERS, 0, 1)
    effects = client.feed(Asked(1, request), now)
    for chunk in chunks:
        now += 0.01
        effects += client.feed(Bytes(chunk), now)
    while client.deadline is not None:
        now = client.deadline
        effects += client.wake(now)
    done = sum(isinstance(one, Done) for one in effects)
    assert done == 1


@given(frame=st.binary(min_size=5, max_size=12))
def test_a_frame_is_a_response_or_named(frame: bytes) -> None:
    request = messages.read(1, Function.READ_HOLDING_REGISTERS, 0, 1)
    try:
        messages.length_of_response(frame)
        messages.body_of(request, checked(frame))
    except (BadFrame, Refused) as error:
        assert str(error)


def test_a_port_that_is_not_there_is_opened_later(assemble: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("chargebyte_fw.modules.meter.serial_comm_hub.RETRY_S", 0.05)
    main_end, device_end = pty.openpty()

    async def main() -> None:
        assembly = assemble(hub=(SerialCommHub, {}, {}, {"main": {"initial_timeout_ms": 2000}}))
        await assembly.start()
        hub: Any = assembly.provider("hub", "main")
        assert (await hub.modbus_read_holding_registers(1, 0, 1)).status_code is StatusCodeEnum.Error
        (tmp_path / "dev").mkdir(exist_ok=True)
        (tmp_path / "dev/ttyUSB0").symlink_to(os.ttyname(device_end))
        await asyncio.sleep(0.3)
        asked = asyncio.create_task(hub.modbus_read_holding_registers(1, 0, 1))
        await asyncio.sleep(0.1)
        assert os.read(main_end, 100) == messages.read(1, Function.READ_HOLDING_REGISTERS, 0, 1).to_bytes()
        os.write(main_end, checked(bytes((1, 3, 2, 0, 42))))
        assert (await asked).value == [42]
        await assembly.stop()

    try:
        clock.run(main())
    finally:
        os.close(main_end)
        os.close(device_end)
