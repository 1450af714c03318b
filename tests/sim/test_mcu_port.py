"""The virtual controller's body: a pseudo-terminal that can be cut, pulled and disturbed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import serial

from chargebyte_fw.board.link.messages.charge_som import ChargeControl, ChargeState, FirmwareVersion, Inquiry
from chargebyte_fw.board.link.messages.framing import Receiver, encode_message
from chargebyte_fw.kernel import clock, memory
from chargebyte_fw.sim.mcu import McuState, VirtualMcu
from chargebyte_fw.sim.mcu_port import McuOnPty, McuOnWire
from chargebyte_fw.sim.pilot import Pilot

ASK = encode_message(Inquiry(FirmwareVersion.com_id))


def test_whoever_opens_the_path_talks_to_the_controller(tmp_path: Path) -> None:
    async def main() -> None:
        body = McuOnPty(VirtualMcu(Pilot()), tmp_path / "dev/ttyLP2")
        port = serial.Serial(str(body.path), 115200, timeout=0)
        port.write(ASK)
        await asyncio.sleep(0.05)
        assert [frame.com_id for frame in Receiver().feed(port.read(64))] == [FirmwareVersion.com_id]
        body.cut()
        port.write(ASK)
        await asyncio.sleep(0.05)
        assert port.read(64) == b""
        body.mend()
        body.noise(b"\xa5\x00")
        port.write(ASK)
        await asyncio.sleep(0.05)
        assert len(port.read(64)) == 14
        port.close()
        again = serial.Serial(str(body.path), 115200, timeout=0)
        again.write(ASK)
        await asyncio.sleep(0.05)
        assert len(again.read(64)) == 12, "closing one's own end does not break the other"
        again.close()
        body.close()
        assert not body.path.is_symlink()

    clock.run(main())


def test_pulling_the_port_out_is_heard_by_whoever_has_it_open(tmp_path: Path) -> None:
    async def main() -> None:
        body = McuOnPty(VirtualMcu(Pilot()), tmp_path / "dev/ttyLP2")
        descriptor = os.open(body.path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        body.unplug()
        body.unplug()
        heard: bytes | None
        try:
            heard = os.read(descriptor, 10)
        except OSError:
            heard = b""
        assert heard == b""
        os.close(descriptor)
        assert not body.path.exists()
        body.replug()
        assert body.path.exists()
        body.close()

    clock.run(main())


def test_a_host_that_does_not_read_does_not_stop_the_controller(tmp_path: Path) -> None:
    async def main() -> None:
        pilot = Pilot()
        body = McuOnPty(VirtualMcu(pilot, speed=200.0), tmp_path / "dev/ttyLP2")
        port = serial.Serial(str(body.path), 115200, timeout=0)
        for _ in range(60):
            port.write(encode_message(ChargeControl(True, 100.0)))
            await asyncio.sleep(20.0)
        assert body.mcu.state is McuState.RUNNING
        for _ in range(1000):
            body.noise(bytes(12))
        assert body.failure is None
        port.close()
        body.close()

    clock.run(main(), speed=200.0)


def test_on_a_wire_in_memory_under_a_virtual_clock(run: Any) -> None:
    async def main() -> None:
        ours, theirs = memory.wire()
        pilot = Pilot()
        body = McuOnWire(VirtualMcu(pilot), theirs)
        heard: list[bytes] = []
        ours.receive = heard.append
        body.reset_line(False)
        body.reset_line(True)
        await asyncio.sleep(0.31)
        for _ in range(20):
            ours.send(encode_message(ChargeControl(True, 5.0)))
            await asyncio.sleep(0.1)
        pilot.car_state = "C"
        await asyncio.sleep(0.1)
        ours.send(encode_message(ChargeControl(True, 5.0, contactor_1_close=True)))
        await asyncio.sleep(0.3)
        assert pilot.contactors_closed
        frames = [frame for chunk in heard for frame in Receiver().feed(chunk)]
        assert sum(frame.com_id == ChargeState.com_id for frame in frames) >= 20
        body.cut(1.0)
        await asyncio.sleep(0.6)
        assert body.mcu.state is McuState.SAFE
        body.close()
        assert not pilot.on_change

    run(main())
