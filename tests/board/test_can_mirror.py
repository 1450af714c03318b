"""The CAN copy of the safety controller's link, on python-can's buses."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import can
import pytest

from chargebyte_fw.board import can_mirror
from chargebyte_fw.board.can_mirror import CanMirror
from chargebyte_fw.board.link.messages.framing import Frame
from chargebyte_fw.kernel.can_bus import open_bus
from chargebyte_fw.kernel.errors import Unavailable
from tests.board.world import World

CHARGE_STATE = Frame(0x07, bytes.fromhex("8000010000000000"))


@pytest.fixture
def bus(request: pytest.FixtureRequest) -> Iterator[Any]:
    made = open_bus(f"virtual:{request.node.name}")
    yield made
    made.shutdown()


@pytest.fixture
def mirror(request: pytest.FixtureRequest) -> Iterator[CanMirror]:
    made = CanMirror(f"virtual:{request.node.name}", logging.getLogger("mirror"))  # type: ignore[arg-type]
    yield made
    made.close()
    assert not [one for one in threading.enumerate() if one.name == "can-mirror"]


def everything(bus: Any) -> list[tuple[int, bytes]]:
    heard = []
    while (message := bus.recv(0.2)) is not None:
        assert message.is_extended_id and message.dlc == 8
        heard.append((message.arbitration_id, bytes(message.data)))
    return heard


def test_every_frame_of_both_directions_is_mirrored(run: Callable[..., Any], assemble: Any, runtime: Any) -> None:
    """29-bit id is the COM id, the same eight bytes."""

    async def main() -> None:
        world = await World(assemble, runtime, can_mirror_device="virtual:both").start()
        await world.board.pwm_on(5.0)
        await asyncio.sleep(0.3)
        await world.stop()

    listener = open_bus("virtual:both")
    try:
        run(main())
        heard = everything(listener)
    finally:
        listener.shutdown()
    assert (0x06, bytes.fromhex("8032000000000000")) in heard, "5 % asked"
    assert (0xFF, bytes.fromhex("0a00000000000000")) in heard, "firmware version asked"
    assert {identifier for identifier, _ in heard} >= {0x06, 0x07, 0x08, 0x0A, 0x0B, 0xFF}
    assert len([one for one in heard if one[0] == 0x07]) >= 8, "repetitions too"


@pytest.mark.parametrize(
    ("device", "why"), [("no-such-can0", "CAN"), ("nonsense:1", 'Unknown interface type "nonsense"')]
)
def test_a_mirror_that_is_not_there_is_one_warning(
    run: Callable[..., Any], assemble: Any, runtime: Any, caplog: Any, device: str, why: str
) -> None:
    async def main() -> None:
        world = await World(assemble, runtime, can_mirror_device=device).start()
        await world.charge()
        world.driver.link.reset("test")
        await asyncio.sleep(1.0)
        await world.stop()

    run(main())
    told = [one.getMessage() for one in caplog.records if "not mirrored" in one.getMessage()]
    assert len(told) == 1
    assert device in told[0] and why in told[0]


def test_without_python_can_it_says_how_to_get_it(caplog: Any, mocker: Any) -> None:
    mocker.patch.dict("sys.modules", {"can": None})
    made = CanMirror("can0", logging.getLogger("mirror"))  # type: ignore[arg-type]
    made.open()
    made.close()
    assert "pip install 'chargebyte-fw[can]'" in caplog.text


def test_what_is_queued_is_sent_before_the_bus_is_closed(mirror: CanMirror, bus: Any) -> None:
    mirror.open()
    for _ in range(50):
        mirror.send(CHARGE_STATE)
    mirror.close()
    assert everything(bus) == [(0x07, CHARGE_STATE.payload)] * 50


def test_a_bus_that_blocks_costs_copies_and_no_time(mirror: CanMirror, mocker: Any) -> None:
    """The link's thread only ever appends; what the bus does not take in time is dropped, oldest first."""
    go_on, taken = threading.Event(), []

    def slow(message: Any, timeout: float) -> None:
        go_on.wait(5)
        taken.append(message.data[7])

    mocker.patch.object(can_mirror, "open_bus", return_value=mocker.Mock(send=slow))
    mirror.open()
    for number in range(1000):
        mirror.send(Frame(7, bytes(7) + bytes((number % 256,))))
    go_on.set()
    mirror.close()
    assert len(taken) <= can_mirror.KEPT_FRAMES + 1
    assert taken[-1] == 999 % 256


def test_a_bus_without_room_misses_copies_and_stays_open(mirror: CanMirror, mocker: Any, caplog: Any) -> None:
    full = mocker.Mock(send=mocker.Mock(side_effect=can.CanOperationError("Failed to transmit", 105)))
    opened = mocker.patch.object(can_mirror, "open_bus", return_value=full)
    mirror.open()
    for _ in range(3):
        mirror.send(CHARGE_STATE)
    mirror.close()
    assert opened.call_count == 1 and full.send.call_count == 3
    assert "not mirrored" not in caplog.text


def test_a_bus_that_goes_is_one_warning_and_tried_again_until_it_is_back(
    mirror: CanMirror, mocker: Any, caplog: Any
) -> None:
    caplog.set_level(logging.INFO)
    mocker.patch.object(can_mirror, "RETRY_S", 0.01)
    taken = threading.Event()
    gone = mocker.Mock(send=mocker.Mock(side_effect=can.CanOperationError("Failed to transmit", 100)))
    good = mocker.Mock(send=lambda *_, **__: taken.set())
    missing = Unavailable("CAN device can7: no such interface")
    opened = mocker.patch.object(can_mirror, "open_bus", side_effect=[missing, missing, gone, missing, good])
    mirror.open()
    while not taken.is_set():
        mirror.send(CHARGE_STATE)
        taken.wait(0.005)
    assert opened.call_count == 5
    assert caplog.text.count("not mirrored") == 2 and caplog.text.count("is there, frames are mirrored") == 2
    assert gone.shutdown.call_count == 1
