"""The conversation with the boot loader: what it does, every way in which it says no, and every silence."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.board.flash import events as loader
from chargebyte_fw.board.flash import messages as m
from chargebyte_fw.board.flash import timing
from chargebyte_fw.board.flash.events import Refused, Silent
from chargebyte_fw.board.flash.image import BadImage
from chargebyte_fw.board.flash.machine import LoaderMachine, Step
from chargebyte_fw.board.flash.messages import AreaKind, Command, Status
from chargebyte_fw.kernel.errors import PeerError
from chargebyte_fw.kernel.machine import Unexpected
from chargebyte_fw.sim import bootloader
from chargebyte_fw.sim.bootloader import Trouble
from chargebyte_fw.sim.chip import AREAS, CODE, DATA, SIGNATURE, Chip, firmware_image
from tests.board.flash.conftest import Bench, shipped_chip

NEW = firmware_image((0, 5, 0), size=8192)


async def flash(bench: Bench) -> None:
    async with bench.tool.in_boot_loader() as chip:
        await bench.tool.write(chip.area(AreaKind.CODE), NEW)


def test_the_chip_says_what_it_is(work: Any) -> None:
    async def story(bench: Bench) -> None:
        chip = await bench.tool.boot_loader()
        assert (chip.signature, chip.areas) == (SIGNATURE, AREAS)

    work(story)


def test_what_is_written_is_in_the_flash_and_the_rest_is_erased(work: Any) -> None:
    async def story(bench: Bench) -> None:
        await flash(bench)
        code = bench.chip.memory[AreaKind.CODE]
        assert code[: len(NEW)] == NEW
        assert set(code[len(NEW) :]) == {0xFF}
        running = await bench.tool.running()
        assert running is not None and running.firmware.version == (0, 5, 0)

    work(story)


def test_progress_goes_from_nothing_to_everything_in_each_step(work: Any) -> None:
    async def story(bench: Bench) -> None:
        await flash(bench)
        for what, total in (("erase", CODE.size), ("write", len(NEW)), ("verify", len(NEW))):
            done = [step[1] for step in bench.progress if step[0] == what]
            assert done[0] == 0 and done[-1] == total and done == sorted(done)
        assert len([step for step in bench.progress if step[0] == "write"]) == 1 + len(NEW) // m.DATA_LIMIT

    work(story)


def test_any_part_of_the_flash_can_be_read(work: Any) -> None:
    async def story(bench: Bench) -> None:
        await bench.tool.boot_loader()
        code = bytes(bench.chip.memory[AreaKind.CODE])
        for offset, length in ((0, 1), (0x3E0, 32), (1, 1024), (5, 1025), (0, 2048)):
            assert await bench.tool.read(CODE, offset, length) == code[offset : offset + length]

    work(story)


@pytest.mark.parametrize("command", [Command.BAUD_RATE, Command.SIGNATURE, Command.AREA_INFO, Command.ERASE,
                                     Command.WRITE, Command.READ, Command.INQUIRY])  # fmt: skip
@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_each_status_ends_the_work_with_its_words(work: Any, command: Command, status: Status) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused) as caught:
            await flash(bench)
        assert (caught.value.command, caught.value.status) == (command, status)
        assert status.text in str(caught.value) and f"0x{status.value:02X}" in str(caught.value)
        assert command.text in str(caught.value)

    work(story, trouble=Trouble(refuse={command: status}))


def test_a_status_that_is_not_documented_is_an_error_as_well(work: Any) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused, match=r"erase refused: a status that is not documented .*0x99"):
            await flash(bench)

    work(story, trouble=Trouble(refuse={Command.ERASE: Status(0x99)}))


@pytest.mark.parametrize(
    ("mute", "said"),
    [
        (-1, "to the first byte"),
        (-2, "to the greeting"),
        (Command.INQUIRY, "inquiry"),
        (Command.BAUD_RATE, "baud rate"),
        (Command.SIGNATURE, "signature"),
        (Command.AREA_INFO, "area info"),
        (Command.ERASE, "erase"),
        (Command.WRITE, "write, after 0 of 8192 bytes"),
        (Command.READ, "read, after 0 of 8192 bytes"),
    ],
)
def test_each_silence_says_where_it_was(work: Any, mute: int, said: str) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Silent, match=said):
            await flash(bench)

    work(story, trouble=Trouble(mute={mute}))


def test_silence_at_first_is_answered_by_two_more_resets(work: Any) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble.mute.add(-1)

        async def wake_up() -> None:
            await asyncio.sleep(2.5)
            bench.trouble.mute.clear()

        waking = asyncio.create_task(wake_up())
        await bench.tool.boot_loader()
        await waking

    work(story)


def test_damaged_replies_are_told_apart_from_silence(work: Any) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(PeerError, match="a packet with a wrong checksum came in answer to inquiry"):
            await flash(bench)

    work(story, trouble=Trouble(damage_replies=True))


def test_a_protected_area_is_not_erased(work: Any) -> None:
    async def story(bench: Bench) -> None:
        bench.chip.protected.add(AreaKind.CODE)
        before = bytes(bench.chip.memory[AreaKind.CODE])
        with pytest.raises(Refused, match="protected"):
            await flash(bench)
        assert bench.chip.memory[AreaKind.CODE] == before

    work(story)


def test_a_bit_that_did_not_take_is_found_by_reading_back(work: Any) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(PeerError, match="reads 0x01 at 0x0 where 0x00 was written"):
            await flash(bench)

    work(story, trouble=Trouble(stuck_bits=0x01))


def test_without_verification_nothing_is_read_back(work: Any) -> None:
    async def story(bench: Bench) -> None:
        async with bench.tool.in_boot_loader() as chip:
            await bench.tool.write(chip.area(AreaKind.CODE), NEW, verify=False)
        assert "verify" not in [step[0] for step in bench.progress]

    work(story, trouble=Trouble(stuck_bits=0x01))


@pytest.mark.parametrize(("size", "why"), [(0, "empty"), (CODE.size + 4, "do not fit"), (4097, "no multiple of the 4")])
def test_what_does_not_fit_is_refused_before_the_erase(work: Any, size: int, why: str) -> None:
    async def story(bench: Bench) -> None:
        before = bytes(bench.chip.memory[AreaKind.CODE])
        async with bench.tool.in_boot_loader() as chip:
            with pytest.raises(BadImage, match=why):
                await bench.tool.write(chip.area(AreaKind.CODE), bytes(size))
        assert bench.chip.memory[AreaKind.CODE] == before

    work(story)


def test_after_an_error_the_application_runs_again(work: Any) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Refused):
            await flash(bench)
        running = await bench.tool.running()
        assert running is not None and running.firmware.version == (0, 4, 1)

    work(story, trouble=Trouble(refuse={Command.ERASE: Status.PROTECTED}))


def test_the_application_says_who_it_is(work: Any) -> None:
    async def story(bench: Bench) -> None:
        running = await bench.tool.running()
        assert running is not None
        assert running.text == "0.4.1 (g7470cd6cb7945af7, Charge SOM, firmware, parameter version 1)"
        assert running.part_number == "R7FA2E1A93CFM"

    work(story)


def test_firmware_up_to_0_2_9_is_not_asked_for_a_part_number(work: Any) -> None:
    async def story(bench: Bench) -> None:
        running = await bench.tool.running()
        assert running is not None and running.part_number == "" and running.git_hash is not None

    work(story, chip=shipped_chip(version=(0, 2, 9)))


def test_without_firmware_nothing_answers_and_the_boot_loader_works(work: Any) -> None:
    async def story(bench: Bench) -> None:
        assert await bench.tool.running() is None
        async with bench.tool.in_boot_loader():
            assert await bench.tool.info() is None
        await flash(bench)
        assert await bench.tool.running() is not None

    work(story, chip=Chip())


def test_the_lines_are_held_as_long_as_was_asked(work: Any) -> None:
    async def story(bench: Bench) -> None:
        now = asyncio.get_running_loop().time
        before = now()
        await bench.tool.application()
        assert now() - before == pytest.approx(timing.RESET_HOLD_S + timing.READY_AFTER_RESET_S)

    work(story)


def talk(loader: bootloader.BootLoader, *chunks: bytes) -> bytes:
    said = b""
    for chunk in chunks:
        for effect in loader.feed(bootloader.BytesReceived(chunk), 0.0):
            assert not isinstance(effect, Unexpected)
            said += effect.data if isinstance(effect, bootloader.Transmit) else b""
    return said


HELLO = (b"\0", b"\0", b"\x55")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (m.command(0x77), (0x77, Status.UNSUPPORTED)),
        (m.command(Command.ID_AUTHENTICATION), (Command.ID_AUTHENTICATION, Status.UNSUPPORTED)),
        (m.command(Command.ERASE, b"\0"), (Command.ERASE, Status.PACKET)),
        (bytes.fromhex("01 00 01 00 FE 03"), (Command.INQUIRY, Status.CHECKSUM)),
        (bytes.fromhex("01 00 01 00 FF 04"), (Command.INQUIRY, Status.PACKET)),
        (m.data_packet(Command.WRITE, b"\0"), (Command.WRITE, Status.FLOW)),
        (m.status_packet(Command.READ), (Command.READ, Status.FLOW)),
        (m.command(Command.READ, m.address_range(0, 0x20000)), (Command.READ, Status.ADDRESS)),
        (m.command(Command.READ, m.address_range(8, 4)), (Command.READ, Status.ADDRESS)),
        (m.command(Command.ERASE, m.address_range(4, 0x7FF)), (Command.ERASE, Status.ADDRESS)),
        (m.command(Command.WRITE, m.address_range(0, 4)), (Command.WRITE, Status.ADDRESS)),
        (m.command(Command.AREA_INFO, b"\x09"), (Command.AREA_INFO, Status.ADDRESS)),
        (m.command(Command.BAUD_RATE, b"\x7f\0\0\0"), (Command.BAUD_RATE, Status.BAUD_MARGIN)),
    ],
)
def test_the_virtual_loader_refuses_as_the_real_one_does(said: bytes, answer: tuple[int, Status]) -> None:
    loader = bootloader.BootLoader(Chip())
    assert talk(loader, *HELLO) == b"\x00\xc3"
    assert talk(loader, said) == m.status_packet(*answer)


def test_flash_that_is_not_erased_cannot_be_written() -> None:
    loader = bootloader.BootLoader(shipped_chip())
    talk(loader, *HELLO)
    assert talk(loader, m.command(Command.WRITE, m.address_range(0, 3))) == m.status_packet(Command.WRITE)
    assert talk(loader, m.data_packet(Command.WRITE, bytes(4))) == m.status_packet(Command.WRITE, Status.WRITE_FAILED)


@settings(max_examples=100)
@given(st.lists(st.binary(max_size=30), max_size=12))
def test_the_virtual_loader_survives_any_bytes(chunks: list[bytes]) -> None:
    talk(bootloader.BootLoader(Chip()), *HELLO, *chunks)


def ready_machine() -> tuple[LoaderMachine, float]:
    """A conversation after its handshake, and the second at which that was over."""
    machine, now = LoaderMachine(), 0.0
    good = iter([b"\0", b"\xc3", m.status_packet(0), m.status_packet(0x34), m.status_packet(0)])
    machine.feed(loader.Begin(), now)
    while machine.state is not Step.READY:
        waits = machine.state in (Step.SETTLING, Step.PULSING, Step.SWITCHING_RATE)
        assert machine.deadline is not None
        now = machine.deadline
        machine.wake(now) if waits else machine.feed(loader.BytesReceived(next(good)), now)
    return machine, now


@pytest.mark.parametrize(
    ("order", "command", "data", "why"),
    [
        (loader.AskSignature(), Command.SIGNATURE, bytes(3), "3 data bytes instead of 12"),
        (loader.AskSignature(), Command.SIGNATURE, bytes(200), "200 data bytes instead of 12"),
        (loader.AskArea(0), Command.AREA_INFO, bytes(3), "3 data bytes instead of 17"),
        (loader.AskArea(0), Command.AREA_INFO, bytes((0,)) + b"\0\0\0\1" + bytes(12), "area from 0x1 to 0x0"),
    ],
)
def test_an_answer_that_cannot_be_read_fails_the_order_at_once(
    order: Any, command: Command, data: bytes, why: str
) -> None:
    machine, now = ready_machine()
    machine.feed(order, now)
    effects = machine.feed(loader.BytesReceived(m.data_packet(command, data)), now)
    (failed,) = [effect for effect in effects if isinstance(effect, loader.Failed)]
    assert isinstance(failed.error, PeerError) and failed.error.what == f"{command.text} answered with {why}"
    assert machine.state is Step.OFF and machine.deadline is None


@settings(max_examples=200)
@given(st.lists(st.one_of(st.none(), st.binary(max_size=20)), max_size=15), st.sampled_from(range(5)))
def test_the_tool_survives_any_bytes(answers: list[bytes | None], order: int) -> None:
    """Whatever comes in: no exception, and it ends in success or in one error."""
    orders = [loader.AskSignature(), loader.AskArea(0), loader.Erase(0, 3), loader.Write(0, bytes(9))]
    orders.append(loader.Read(0, 9))
    machine, now = ready_machine()
    effects = machine.feed(orders[order], now)
    for answer in answers:
        if machine.state in (Step.OFF, Step.READY):
            break
        assert machine.deadline is not None
        now = machine.deadline if answer is None else now
        effects = machine.wake(now) if answer is None else machine.feed(loader.BytesReceived(answer), now)
    if machine.state is Step.OFF:
        assert isinstance(effects[-1], loader.Failed)


def test_the_data_flash_is_an_area_of_its_own(work: Any) -> None:
    async def story(bench: Bench) -> None:
        code = bytes(bench.chip.memory[AreaKind.CODE])
        async with bench.tool.in_boot_loader() as chip:
            await bench.tool.write(chip.area(AreaKind.DATA), b"\x01\x02\x03")
        assert bench.chip.memory[AreaKind.DATA][:4] == b"\x01\x02\x03\xff"
        assert len(bench.chip.memory[AreaKind.DATA]) == DATA.size
        assert bench.chip.memory[AreaKind.CODE] == code

    work(story)
