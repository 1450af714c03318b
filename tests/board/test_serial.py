"""The link on a real pseudo-terminal, in real time: the thread, the port, the reset line as a socket."""

from __future__ import annotations

import asyncio
import os
import select
import threading
import time
import tty
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.board.cb_charge_som_driver import CbChargeSOMDriver
from chargebyte_fw.board.link.messages.charge_som import (
    ChargeControl,
    ChargeState,
    ContactorState,
    CpState,
    GitHash,
    Inquiry,
)
from chargebyte_fw.board.link.messages.declaration import Message
from chargebyte_fw.board.link.messages.framing import Frame, Receiver, encode_message
from chargebyte_fw.contracts.types.evse_board_support import PowerOnOff, PowerOnOffReason
from chargebyte_fw.kernel import clock
from chargebyte_fw.sim.gpio import SimulatedLine
from chargebyte_fw.sim.mcu import VirtualMcu
from chargebyte_fw.sim.mcu_hardware import CHARGE_SOM
from chargebyte_fw.sim.mcu_port import McuOnPty
from chargebyte_fw.sim.pilot import Pilot

LOST = "evse_board_support/CommunicationFault"


class Bench:
    """A driver on a pseudo-terminal with the virtual controller behind it, in one process."""

    def __init__(self, assemble: Callable[..., Any], root: Path) -> None:
        self.pilot = Pilot()
        self.port = McuOnPty(VirtualMcu(self.pilot, speed=clock.loop_speed()), root / "dev/ttyLP2")
        self.line = SimulatedLine(root, "nSAFETY_RESET_INT", self.port.reset_line)
        self.assembly = assemble(bsp=(CbChargeSOMDriver, {}))
        self.driver: CbChargeSOMDriver = self.assembly.modules["bsp"]
        self.board = self.driver.evse_board_support

    async def until(self, condition: Callable[[], object], limit_s: float = 10.0) -> None:
        async with asyncio.timeout(limit_s):
            while not condition():
                await asyncio.sleep(0.01)

    async def charge(self) -> None:
        self.pilot.car_state = "C"
        await self.board.enable(True)
        await self.board.pwm_on(5.0)
        await self.until(lambda: self.board.event.value and self.board.event.value.event.value == "C")
        await self.board.allow_power_on(PowerOnOff(allow_power_on=True, reason=PowerOnOffReason.FullPowerCharging))
        await self.until(lambda: self.pilot.contactors_closed)
        await self.until(lambda: self.board.event.value and self.board.event.value.event.value == "PowerOn")


@pytest.fixture
def bench(assemble: Any, tmp_path: Path) -> Any:
    @asynccontextmanager
    async def make() -> AsyncIterator[Bench]:
        made = Bench(assemble, tmp_path)
        try:
            yield made
        finally:
            await made.assembly.stop()
            made.line.close()
            made.port.close()

    return make


def real(main: Coroutine[Any, Any, None], speed: float = 1.0) -> None:
    clock.run(main, speed=speed)


def test_a_session_over_a_pseudo_terminal(bench: Any) -> None:
    async def main() -> None:
        async with bench() as it:
            await it.assembly.start()
            await it.charge()
            assert it.pilot.duty_percent == 5.0
            await it.driver.stop()
            assert it.pilot.letter == "F"
            assert not it.pilot.contactors_closed

    real(main())


class Controller(threading.Thread):
    """A controller that does not live on the event loop: answers inquiries, says its state after each ChargeControl."""

    def __init__(self, path: Path) -> None:
        super().__init__(daemon=True)
        self.master, slave = os.openpty()
        tty.setraw(slave)
        path.parent.mkdir(parents=True)
        path.symlink_to(os.ttyname(slave))
        self.heard: list[ChargeControl] = []
        self.ended = threading.Event()

    def run(self) -> None:
        receiver = Receiver()
        while not self.ended.is_set():
            if select.select([self.master], [], [], 0.1)[0]:
                for frame in receiver.feed(os.read(self.master, 4096)):
                    os.write(self.master, encode_message(self.answer(frame)))

    def answer(self, frame: Frame) -> Message:
        if frame.com_id == Inquiry.com_id:
            return CHARGE_SOM if frame.payload[0] == CHARGE_SOM.com_id else GitHash(bytes(8))
        control = ChargeControl.from_payload(frame.payload)
        self.heard.append(control)
        return ChargeState(
            pwm_active=True,
            duty_percent=control.duty_percent,
            cp_state=CpState.C,
            contactor_1=ContactorState.CLOSED if control.contactor_1_close else ContactorState.OPEN,
            contactor_2=ContactorState.UNUSED,
            contactor_3=ContactorState.UNUSED,
        )


def test_a_blocked_event_loop_lets_go_of_the_handle(assemble: Any, tmp_path: Path) -> None:
    async def main() -> None:
        controller = Controller(tmp_path / "dev/ttyLP2")
        controller.start()
        heard = controller.heard
        driver = assemble(bsp=(CbChargeSOMDriver, {}))
        await driver.start()
        board = driver.modules["bsp"].evse_board_support
        raised: list[str] = []
        board.faults.subscribe(lambda fault: raised.append(fault.type + " " + fault.sub_type), lambda _: None)

        async def until(condition: Callable[[], object]) -> None:
            async with asyncio.timeout(5.0):
                while not condition():
                    await asyncio.sleep(0.01)

        await until(lambda: heard)
        await board.enable(True)
        await board.pwm_on(5.0)
        await until(lambda: heard[-1].duty_percent == 5.0)
        await board.allow_power_on(PowerOnOff(allow_power_on=True, reason=PowerOnOffReason.FullPowerCharging))
        await until(lambda: board.event.value and board.event.value.event.value == "PowerOn")
        heard.clear()
        time.sleep(1.5)
        stalled = list(heard)
        assert stalled[0].contactor_1_close, "a short stall changes nothing"
        assert stalled[-1] == ChargeControl(True, 0.0), "then the safe image: pilot F, contactors open"
        assert 4 <= len([one for one in stalled if one.contactor_1_close]) <= 7, "half a second"
        assert len(stalled) >= 13, "the cycle goes on"
        heard.clear()
        await until(lambda: heard and heard[-1].duty_percent == 5.0)
        assert not any(one.contactor_1_close for one in heard), "and no contactor by an order of before"
        await until(lambda: not board.faults.active)
        assert raised == ["evse_board_support/VendorError Host stalled"], "the link itself was never lost"
        await driver.stop()
        controller.ended.set()
        controller.join()
        os.close(controller.master)

    real(main())


def test_a_port_that_is_pulled_out_and_comes_back_as_another_one(bench: Any) -> None:
    async def main() -> None:
        async with bench() as it:
            await it.assembly.start()
            await it.charge()
            it.port.unplug()
            await it.until(lambda: it.board.faults.is_active(LOST))
            assert not it.pilot.contactors_closed, "the reset line opens them"
            it.port.replug()
            await it.until(lambda: not it.board.faults.active)
            await it.charge()

    real(main())


def test_a_uart_cut_while_charging_and_joined_again(bench: Any) -> None:
    async def main() -> None:
        async with bench() as it:
            await it.assembly.start()
            await it.charge()
            it.port.cut(1.3)
            await it.until(lambda: not it.pilot.contactors_closed, 0.8)
            await it.until(lambda: it.board.faults.is_active(LOST))
            await it.until(lambda: not it.board.faults.active)
            await it.charge()

    real(main())


def test_a_missing_port_at_start_is_a_fault_and_not_the_end(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with bench() as it:
            it.port.unplug()
            await it.assembly.start()
            assert it.board.capabilities.known
            assert it.board.faults.is_active(LOST)
            assert "No such file or directory" in it.board.faults.active[0].message
            it.port.replug()
            await it.until(lambda: not it.board.faults.active)
            await it.charge()
        assert len([one for one in caplog.records if "no link" in one.getMessage()]) == 1

    real(main())


def test_a_port_that_another_process_holds_is_a_fault_that_says_so(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import serial

    async def main() -> None:
        async with bench() as it:
            other = serial.Serial(str(it.port.path), 115200, exclusive=True)
            await it.assembly.start()
            assert it.board.faults.is_active(LOST)
            other.close()
            await it.until(lambda: not it.board.faults.active)

    real(main())


def test_nothing_is_left_open_after_many_losses(bench: Any) -> None:
    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    async def main() -> None:
        async with bench() as it:
            await it.assembly.start()
            await it.until(lambda: it.driver.link.running)
            before = open_files()
            for _ in range(3):
                it.port.unplug()
                await it.until(lambda: it.board.faults.is_active(LOST))
                it.port.replug()
                await it.until(lambda: not it.board.faults.active)
            assert open_files() == before

    real(main())


def test_a_session_at_twenty_times_the_speed(bench: Any) -> None:
    """The cycle follows the clock as far as two processes can; nothing is taken for a lost link."""

    async def main() -> None:
        async with bench() as it:
            await it.assembly.start()
            await it.until(lambda: it.driver.link.running, 200.0)
            it.pilot.car_state = "C"
            await it.board.enable(True)
            await it.board.pwm_on(5.0)
            await asyncio.sleep(20.0)
            await it.board.allow_power_on(PowerOnOff(allow_power_on=True, reason=PowerOnOffReason.FullPowerCharging))
            await asyncio.sleep(40.0)
            assert it.pilot.contactors_closed
            assert not it.board.faults.active

    real(main(), speed=20.0)
