"""Infypower frames byte by byte; decoding never breaks; the bus on python-can's own buses."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import can
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.power_supply_DC import ChargingPhase, Mode
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.can_bus import EXTENDED, CanCallbacks, CanFrame, open_bus, open_port
from chargebyte_fw.kernel.errors import PeerError, Unavailable
from chargebyte_fw.kernel.wires import Wires
from chargebyte_fw.modules.power.infypower import messages as m
from chargebyte_fw.modules.power.infypower.machine import InfypowerGroup
from chargebyte_fw.modules.power.infypower.timing import times
from chargebyte_fw.modules.power.infypower_dc_supply import InfypowerDCSupply
from chargebyte_fw.modules.power.messages import SetExport, SetMode
from chargebyte_fw.sim.infypower import InfypowerBench, InfypowerModules
from tests.netns import NamespacesUnavailable, namespace

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("said", "identifier", "data"),
    [
        (m.Message(m.VOLTAGE, 0, 240, 0), "82e300f0", "1001000000000000"),
        (m.Message(m.CURRENT, 0, 240, 0), "82e300f0", "1002000000000000"),
        (m.Message(m.COUNT, 0, 240, 5), "82e305f0", "1010000000000000"),
        (m.Message(m.STATUS, 0, 248, 60), "82e33cf8", "1110000000000000"),
        (m.Message(m.MAX_POWER, 0, 240, 0), "82e300f0", "1133000000000000"),
        (m.Message(m.SET_VOLTAGE, 500.0, 240, 0), "82e400f0", "100100000007a120"),
        (m.Message(m.SET_CURRENT, 12.345, 240, 0), "82e400f0", "1002000000003039"),
        (m.Message(m.SWITCH, m.ON, 240, 0), "82e400f0", "11100000000000a0"),
        (m.Message(m.SWITCH, m.OFF, 240, 0), "82e400f0", "11100000000000a1"),
        (m.Message(m.DIRECTION, m.EXPORT, 240, 0), "82e400f0", "21100000000000a0"),
        (m.Message(m.DIRECTION, m.IMPORT, 240, 0), "82e400f0", "21100000000000a1"),
        (m.Message(m.SET_CUT_OFF, 350.0, 240, 0), "82e400f0", "1132000000055730"),
        (m.Message(m.CURRENT, -30.0, 1, 240), "82e3f001", "10020000ffff8ad0"),
        (m.Message(m.COUNT, 3, 1, 240), "82e3f001", "1010000000000003"),
        (m.Message(m.SET_VOLTAGE, 500.0, 1, 240, error=3), "8ee4f001", "100100000007a120"),
        (m.Message(m.VOLTAGE, 0, 240, 0, device=m.DEVICE_SINGLE), "82a300f0", "1001000000000000"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.item.name,
)
def test_a_frame_is_these_bytes(said: m.Message, identifier: str, data: str) -> None:
    """29-bit id: error at bit 26, device at 22, command at 16, destination at 8, source at 0 (bit 31: extended)."""
    frame = said.frame()
    assert (f"{frame.id:08x}", frame.data.hex()) == (identifier, data)
    assert m.read(frame) == said


@pytest.mark.parametrize(
    ("byte", "bit", "error", "sub_type"),
    [
        (7, 0, "VendorError", "Output Short Circuit"),
        (7, 5, "VendorError", "Discharge Abnormal"),
        (6, 1, "VendorError", "Fault Alarm"),
        (6, 2, "VendorError", "Protection Alarm"),
        (6, 3, "VendorError", "Fan Fault Alarm"),
        (6, 4, "OverTemperature", ""),
        (6, 5, "OverVoltageDC", ""),
        (5, 5, "UnderVoltageAC", ""),
        (5, 6, "OverVoltageAC", ""),
    ],
)
def test_an_alarm_is_this_bit_of_the_status(byte: int, bit: int, error: str, sub_type: str) -> None:
    data = bytearray.fromhex("1110000000000000")
    data[byte] = 1 << bit
    said = m.read(CanFrame(m.Address(m.Command.READ, 240, 1).id, bytes(data)))
    assert said is not None
    assert [(a.error, a.sub_type) for a in m.ALARMS if int(said.value) & a.mask] == [(error, sub_type)]


@given(st.integers(0, 2**32 - 1), st.binary(max_size=8))
def test_no_frame_breaks_the_reader_or_the_machine(identifier: int, data: bytes) -> None:
    frame = CanFrame(identifier, data)
    try:
        m.read(frame)
    except PeerError:
        assert len(data) != 8
    group = InfypowerGroup()
    group.feed(m.BusUp(), 0.0)
    group.feed(frame, 0.1)


@given(st.lists(st.tuples(st.sampled_from(m.ITEMS), st.integers(0, 2**31 - 1), st.integers(0, 3), st.floats(0, 2))))
def test_no_order_of_answers_breaks_the_machine_and_it_always_has_a_deadline(
    answers: list[tuple[m.Item, int, int, float]],
) -> None:
    """Whatever the modules say, and however late: no exception, and it never waits for nothing."""
    group, now = InfypowerGroup(), 0.0
    group.feed(m.BusUp(), now)
    group.feed(SetExport(400.0, 10.0), now)
    group.feed(SetMode(Mode.Export, ChargingPhase.Charging), now)
    for item, value, source, later in answers:
        scaled = value / 1000 if item.kind is m.Kind.MILLI else value % 256
        group.feed(m.Message(item, scaled, source, 240, source if source > 1 else 0).frame(), now)
        assert group.deadline is not None
        now += later
        group.wake(now)
        assert group.deadline is not None


@given(st.floats(1.0, 100.0))
def test_on_a_fast_clock_every_time_out_lasts_a_moment_in_real_time_too(speed: float) -> None:
    fast = times(speed)
    assert fast.receive_timeout_s >= 3 * fast.poll_s
    assert min(fast.receive_timeout_s, fast.answer_s) >= 0.385 * (1 if speed == 1 else speed)


async def _charge_over(device: str, assembly: Any) -> tuple[float, float]:
    module = assembly.modules["supply"]
    await assembly.start()
    try:
        async with asyncio.timeout(8):
            await module.main.capabilities.wait_for()
            await module.main.setExportVoltageCurrent(500.0, 2.0)
            await module.main.setMode(Mode.Export, ChargingPhase.CableCheck)
            value = await module.main.voltage_current.wait_for(lambda vc: vc.voltage_V == 500.0)
            await module.main.setMode(Mode.Off, ChargingPhase.Other)
            return value.voltage_V, module.main.capabilities.value.max_export_current_A
    finally:
        await assembly.stop()


def test_it_charges_over_python_cans_virtual_bus(assemble: Any) -> None:
    """A bus without a descriptor: a thread reads it, and ends with it."""

    async def main() -> None:
        bench = InfypowerBench(InfypowerModules(), "virtual:supply")
        try:
            assembly = assemble(supply=(InfypowerDCSupply, {"device": "virtual:supply"}))
            assert await _charge_over("virtual:supply", assembly) == (500.0, 150.0)
        finally:
            bench.close()

    clock.run(main())
    for thread in threading.enumerate():
        if thread.name.startswith("can:"):
            thread.join(2)
            assert not thread.is_alive()


def test_it_charges_over_multicast_with_modules_in_another_process(assemble: Any) -> None:
    device = "udp_multicast:239.74.163.2"
    try:
        with namespace() as place:
            place.ip("route", "add", "239.0.0.0/8", "dev", "lo")
            command = [sys.executable, "-m", "chargebyte_fw.sim.infypower", device, "--modules", "3"]
            modules = place.popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
            assert modules.stdout is not None and "ready" in modules.stdout.readline()
            with place.entered():

                async def main() -> tuple[float, float]:
                    return await _charge_over(device, assemble(supply=(InfypowerDCSupply, {"device": device})))

                assert clock.run(main()) == (500.0, 225.0)
    except NamespacesUnavailable as error:
        pytest.skip(str(error))


def test_a_flood_gets_a_share_of_the_event_loop_only(mocker: Any) -> None:
    """A bus that always has another frame: everybody else on the loop still gets a turn after so many."""

    async def main() -> int:
        reader, writer = os.pipe()
        os.write(writer, b"x")
        endless = mocker.Mock(fileno=lambda: reader, recv=lambda _: can.Message(arbitration_id=1, data=bytes(8)))
        mocker.patch("chargebyte_fw.kernel.can_bus.open_bus", return_value=endless)
        heard: list[CanFrame] = []
        port = open_port("can0", Wires(), CanCallbacks(heard.append, lambda _: None))
        for _ in range(10):
            await asyncio.sleep(0)
        port.close()
        os.close(reader)
        os.close(writer)
        return len(heard)

    assert 0 < clock.run(main()) <= 11 * 64


@pytest.mark.parametrize("number", [100, 19], ids=["ENETDOWN", "ENODEV"])
def test_an_interface_that_goes_down_is_told_once(mocker: Any, number: int) -> None:
    async def main() -> list[Unavailable]:
        reader, writer = os.pipe()
        os.write(writer, b"x")
        gone = mocker.Mock(side_effect=can.CanOperationError("Error receiving", number))
        mocker.patch(
            "chargebyte_fw.kernel.can_bus.open_bus", return_value=mocker.Mock(fileno=lambda: reader, recv=gone)
        )
        lost: list[Unavailable] = []
        port = open_port("can0", Wires(), CanCallbacks(lambda _: None, lost.append))
        await asyncio.sleep(0.05)
        port.close()
        os.close(reader)
        os.close(writer)
        return lost

    assert ["can0 is gone" in str(error) for error in clock.run(main())] == [True]


def test_noise_on_a_multicast_group_is_not_the_end_of_the_bus() -> None:
    try:
        with namespace() as place:
            place.ip("route", "add", "239.0.0.0/8", "dev", "lo")
            with place.entered():

                async def main() -> list[CanFrame]:
                    heard: list[CanFrame] = []
                    lost: list[Unavailable] = []
                    port = open_port("udp_multicast:239.74.163.2", Wires(), CanCallbacks(heard.append, lost.append))
                    other = open_bus("udp_multicast:239.74.163.2")
                    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
                        noise.sendto(b"what is this?", ("239.74.163.2", 43113))
                        other.send(can.Message(arbitration_id=5, data=b"12345678"))
                        await asyncio.sleep(0.3)
                    port.close()
                    other.shutdown()
                    assert lost == []
                    return heard

                assert [frame.data for frame in clock.run(main())] == [b"12345678"]
    except NamespacesUnavailable as error:
        pytest.skip(str(error))


def test_on_a_multicast_group_nobody_hears_himself() -> None:
    """The group gives everything back to its sender, for whom it would be another controller with his address."""
    try:
        with namespace() as place:
            place.ip("route", "add", "239.0.0.0/8", "dev", "lo")
            with place.entered():

                async def main() -> tuple[list[CanFrame], list[CanFrame]]:
                    heard: tuple[list[CanFrame], list[CanFrame]] = ([], [])
                    one, other = (
                        open_port("udp_multicast:239.74.163.2", Wires(), CanCallbacks(ears.append, lambda _: None))
                        for ears in heard
                    )
                    frame = CanFrame(EXTENDED | 5, b"12345678")
                    for _ in range(3):
                        one.send(frame)
                    other.send(frame)
                    await asyncio.sleep(0.3)
                    one.close()
                    other.close()
                    return heard

                one, other = clock.run(main())
                assert (len(one), len(other)) == (1, 3)
    except NamespacesUnavailable as error:
        pytest.skip(str(error))
