"""`secc car`: the virtual car at a charger that is not simulated, its course and its verdict."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

import pytest

from chargebyte_fw.cli import car as command
from chargebyte_fw.cli.main import parser_for
from chargebyte_fw.kernel import clock, memory
from chargebyte_fw.modules.v2g.evcc import misbehaviour
from chargebyte_fw.modules.v2g.evse_v2g import EvseV2G
from chargebyte_fw.sim.car_at_charger import Course, Drive, HandPilot, script
from chargebyte_fw.sim.car_models import Model
from chargebyte_fw.sim.net import MemoryNet
from tests.netns import connect as connect_ends
from tests.netns import namespace, require
from tests.v2g.station import AcManager, Manager, Security


def parsed(*words: str) -> argparse.Namespace:
    return parser_for(["car"]).parse_args(["car", "--interface", "eth9", *words])


class World:
    """A charger's V2G module with the least of a station around it, and a car at the other end of a link in memory."""

    def __init__(self, assemble: Any, manager: type[Manager], model: Model) -> None:
        charger, self.host = memory.link()
        self.assembly = assemble(
            v2g=(EvseV2G, {"device": "eth1", "tls_security": "prohibit"}, {"security": "security.main"}),
            manager=(manager, {}, {"hlc": "v2g.charger"}),
            security=(Security,),
        )
        self.assembly.runtime.wires.plug("ip:eth1", charger)
        self.model = model
        self.asked: list[str] = []
        self.lines: list[str] = []

    async def drive(self, commands: str, limit_s: float = 120.0) -> Course:
        await self.assembly.start()
        await self.assembly.modules["manager"].hlc.dlink_ready(True)
        pilot = HandPilot(5.0, self.asked.append)
        drive = Drive(self.model, pilot, None, MemoryNet(self.host), self.lines.append)
        course = await drive.run(commands, limit_s)
        await self.assembly.stop()
        return course


def driven(run: Any, assemble: Any, model: Model, manager: type[Manager] = Manager, **how: Any) -> tuple[World, Course]:
    courses: list[Any] = []

    async def main() -> None:
        world = World(assemble, manager, model)
        courses.extend([world, await world.drive(script(model, slac=False, charge_s=5.0, **how))])

    run(main())
    return courses[0], courses[1]


@pytest.mark.parametrize(
    ("protocol", "manager", "speaks"),
    [("iso2", Manager, "ISO15118-2-2013"), ("din", Manager, "DIN70121"), ("iso2-ac", AcManager, "ISO15118-2-2013")],
)
def test_a_car_charges_and_leaves(run: Any, assemble: Any, protocol: str, manager: type[Manager], speaks: str) -> None:
    world, course = driven(run, assemble, Model(protocol), manager)
    assert command.verdict(course, "charged") and not command.verdict(course, "refused")
    assert (course.ended, course.failure, course.numbers["speaks"]) == ("terminated", "", speaks)
    assert course.numbers["energy_Wh"] > 0
    assert world.asked == [
        *("switch the control pilot to B", "switch the control pilot to C", "switch the control pilot to B"),
        "take the plug out",
    ]
    loop = "ChargingStatusRes" if protocol == "iso2-ac" else "CurrentDemandRes"
    assert course.responses[loop].count >= 4


def test_a_car_pauses_and_goes_on(run: Any, assemble: Any) -> None:
    world, course = driven(run, assemble, Model("iso2"), pause_s=20.0)
    assert command.verdict(course, "charged")
    assert any("the paused session" in line for line in world.lines)


def test_a_car_that_breaks_a_rule_gets_a_verdict_with_the_reason(run: Any, assemble: Any) -> None:
    wrong = (misbehaviour.read("session:PowerDeliveryReq"),)
    _, course = driven(run, assemble, Model("iso2", misbehaviours=wrong))
    assert course.failure == "PowerDeliveryRes FAILED_UnknownSession" and course.step == "ended"
    assert command.verdict(course, "refused") and not command.verdict(course, "charged")


def test_a_charger_that_does_not_answer_is_not_waited_for(run: Any, assemble: Any) -> None:
    async def main() -> None:
        world = World(assemble, Manager, Model("iso2"))
        course = await world.drive("sleep 1000", 10.0)
        assert course.failure.startswith("not done within 10 s")

    run(main())


# -- the command line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--protocol", "iso3"), "iso3 is no protocol of the car (did you mean iso2?)"),
        (("--protocol", "basic"), "basic is no protocol of the car (known: iso2, iso2-ac,"),
        (("--wrong", "expired"), "--wrong chooses among the cars of --keys"),
        (("--payment", "contract"), "--payment contract needs --tls"),
        (("--misbehave", "late:PowerDeliveryReq"), "a number of seconds is expected"),
        (("--misbehave", "rude"), "is none of silent,"),
        (
            ("--misbehave", "late:PowerDelivryReq:3"),
            "PowerDelivryReq (did you mean PowerDeliveryReq?)",
        ),
    ],
)
def test_a_wrong_call_is_explained(words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(parsed(*words)) == 2
    assert says in capsys.readouterr().err


def test_the_verdict_is_printed_with_what_was_agreed(capsys: pytest.CaptureFixture[str]) -> None:
    numbers = {"speaks": "ISO15118-20:DC", "tls_version": "1.3", "service": "DC_BPT, Dynamic", "identity": "DEKL2C1"}
    numbers |= {"price_per_kWh": 0.45, "currency": "EUR", "energy_Wh": 12.0, "discharged_Wh": 3.0}  # type: ignore[dict-item]
    command.Printer().summary(Course("charging", True, "terminated", numbers=numbers))
    printed = capsys.readouterr().out
    for part in ("ISO15118-20:DC, TLS 1.3, DC_BPT, Dynamic", "DEKL2C1, 0.45 EUR/kWh", "3.0 Wh of it back", "charged"):
        assert part in printed


def test_messages_of_the_loop_are_printed_once(capsys: pytest.CaptureFixture[str]) -> None:
    printer = command.Printer()
    for _ in range(3):
        printer("car → DC_ChargeLoopReq  400 V  10.0 A")
        printer("charger → DC_ChargeLoopRes")
    printer("car → SessionStopReq")
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_command_charges_over_real_sockets(assemble: Any) -> None:
    with require(), namespace("eth1", "secc") as secc, namespace("ev0", "car") as car:
        connect_ends(secc, secc.interface, car, car.interface)

        async def main() -> None:
            world = assemble(
                v2g=(EvseV2G, {"device": "eth1", "tls_security": "prohibit"}, {"security": "security.main"}),
                manager=(Manager, {}, {"hlc": "v2g.charger"}),
                security=(Security,),
            )
            await world.start()
            await world.modules["manager"].hlc.dlink_ready(True)
            words = [*car.prefix, sys.executable, "-m", "chargebyte_fw.cli.main", "car", "--interface", "ev0"]
            words += ["--no-slac", "--charge-s", "1"]
            pipe = asyncio.subprocess.PIPE
            process = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
            try:
                async with asyncio.timeout(60):
                    output, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                await world.stop()
            printed = output.decode()
            assert process.returncode == 0, printed
            assert "by hand: switch the control pilot to C" in printed
            assert "verdict  charged; session terminated" in printed

        with secc.entered():
            clock.run(main())
