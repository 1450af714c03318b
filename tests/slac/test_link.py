"""Real packets over a veth pair: the interface may be missing, down, vanish and come back; EvseSlac recovers."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.evse_slac import EvseSlac
from chargebyte_fw.modules.slac.link import PacketSocket
from chargebyte_fw.modules.slac.machine.events import TriggerMatching
from chargebyte_fw.modules.slac.messages import CmAttenProfileInd, CmSetKeyCnf, Frame
from chargebyte_fw.sim.modem_bench import ModemBench
from chargebyte_fw.sim.net_sockets import PacketPort
from tests.netns import Namespace, connect
from tests.slac.peers import drive_car

STRANGER = b"\0\0\xc0\xff\xee\1"
Assemble = Callable[..., Any]
Cable = tuple[Namespace, Namespace]
LIMIT_S = 20.0
ROOT = Path(__file__).parents[2]


async def until(wanted: Callable[[], Any]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not wanted():
            await asyncio.sleep(0.02)


class Site:
    """EvseSlac in the charger's namespace; modems and car at the other end of the cable, as in the demo."""

    def __init__(self, assemble: Assemble, cable: Cable, **options: Any) -> None:
        self.charger, self.far = cable
        self.assembly = assemble(slac=(EvseSlac, {}, {}, {"main": {"device": "eth1", **options}}))
        self.slac: Any = self.assembly.modules["slac"].main
        self.errors: list[BaseException] = []
        self.ends: list[str] = []
        self._closing: list[Callable[[], None]] = []

    def lay_far_end(self) -> None:
        """Put modems and car at the far end."""
        self.take_far_end()
        with self.far.entered():
            port = PacketPort(self.far.interface)
        car_end, modem_end = memory.wire(mac_a=b"\x02\0\0\0\0\xca")
        bench = ModemBench({"charger": port, "car": modem_end}, self.errors.append, chance=random.Random(1))
        self.car = drive_car(car_end, self.errors.append, self.ends.append)
        self._closing = [self.car.close, bench.close, port.close]

    def take_far_end(self) -> None:
        for close in self._closing:
            close()
        self._closing.clear()

    async def match(self) -> None:
        await until(lambda: self.slac.state.value is State.UNMATCHED)
        await self.slac.enter_bcd()
        self.car.feed(TriggerMatching())
        await until(lambda: self.slac.dlink_ready.value)

    async def stop(self) -> None:
        await self.assembly.stop()
        self.take_far_end()
        assert self.errors == []


def in_charger(cable: Cable, main: Any) -> None:
    """Run on a real clock in the charger's namespace."""
    with cable[0].entered():
        asyncio.run(main)


def test_a_match_over_real_packets(assemble: Assemble, cable: Cable) -> None:
    async def main() -> None:
        site = Site(assemble, cable)
        site.lay_far_end()
        await site.assembly.start()
        await site.match()
        assert site.slac.ev_mac_address.value == "02:00:00:00:00:CA"
        await site.stop()

    in_charger(cable, main())


def test_an_interface_that_is_down_is_waited_for(
    assemble: Assemble, cable: Cable, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        cable[0].down()
        site = Site(assemble, cable)
        site.lay_far_end()
        with caplog.at_level(logging.INFO, logger="secc.slac"):
            await site.assembly.start()
            await asyncio.sleep(1.3)
            assert [fault.message for fault in site.slac.faults.active] == ["eth1 is down"]
            cable[0].up()
            await site.match()
        assert site.slac.faults.active == ()
        texts = [record.getMessage() for record in caplog.records]
        assert texts[:2] == ["eth1 is down, waiting for it", "eth1 is there"]
        await site.stop()

    in_charger(cable, main())


def test_an_interface_that_goes_down_and_up_again_ends_the_match_and_the_next_one_succeeds(
    assemble: Assemble, cable: Cable
) -> None:
    async def main() -> None:
        site = Site(assemble, cable)
        site.lay_far_end()
        await site.assembly.start()
        await site.match()
        cable[0].down()
        await until(lambda: site.slac.faults.active)
        assert site.slac.dlink_ready.value is False and site.slac.state.value is State.UNMATCHED
        cable[0].up()
        await until(lambda: not site.slac.faults.active)
        site.lay_far_end()
        await until(lambda: site.slac.state.value is State.MATCHING)
        site.car.feed(TriggerMatching())
        await until(lambda: site.slac.dlink_ready.value)
        await site.stop()

    in_charger(cable, main())


def test_an_interface_that_vanishes_and_is_made_anew_is_used_again(assemble: Assemble, cable: Cable) -> None:
    """As when the modem's driver is loaded again."""

    async def main() -> None:
        site = Site(assemble, cable)
        site.lay_far_end()
        await site.assembly.start()
        await until(lambda: site.slac.state.value is State.UNMATCHED)
        site.take_far_end()
        cable[0].ip("link", "del", "eth1")
        await until(lambda: site.slac.faults.active)
        await asyncio.sleep(1.2)
        (fault,) = site.slac.faults.active
        assert fault.type == "generic/CommunicationFault"
        connect(cable[0], "eth1", cable[1], "eth1")
        site.lay_far_end()
        await until(lambda: not site.slac.faults.active)
        await site.match()
        await site.stop()

    in_charger(cable, main())


def test_frames_of_others_and_oversized_ones_do_no_harm(assemble: Assemble, cable: Cable) -> None:
    async def main() -> None:
        site = Site(assemble, cable)
        site.lay_far_end()
        await site.assembly.start()
        await until(lambda: site.slac.state.value is State.UNMATCHED)
        with cable[1].entered():
            port = PacketPort("eth1")
        chance = random.Random(7)
        for size in (14, 15, 19, 60, 200, 1514):
            port.send(b"\xff" * 6 + b"\2\0\0\0\0\x09" + b"\x88\xe1" + chance.randbytes(size - 14))
            port.send(b"\2\0\0\0\0\x77" + b"\2\0\0\0\0\x09" + b"\x88\xe1" + chance.randbytes(size - 14))
        await site.match()
        port.close()
        await site.stop()

    in_charger(cable, main())


def test_frames_that_claim_to_be_the_modems_end_no_match_and_confirm_no_key(
    assemble: Assemble, cable: Cable, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody on the power line, before, during and after a match that is watched by the modem's link status."""
    lies = [
        CmSetKeyCnf(result=1),
        vendor.VsRsDevCnf(),
        vendor.VsLinkStatusCnf(link_status=0),
        vendor.NscmGetDLinkStatusCnf(link_status=0),
        vendor.NscmGetVersionCnf(version_major=9),
        CmAttenProfileInd(b"\x02\0\0\0\0\xca", attenuation_dB=bytes([99]) * 58),
    ]
    asked_for: list[object] = []

    async def main() -> None:
        site = Site(assemble, cable, link_status_detection=True)
        site.lay_far_end()
        with cable[1].entered():
            port = PacketPort("eth1")

        def lie(host: bytes) -> None:
            for source in (STRANGER, b"\x02\0\0\0\0\xca"):
                for message in lies:
                    port.send(Frame(host, source, message).encode())

        async def lie_on(host: bytes) -> None:
            while True:
                lie(host)
                await asyncio.sleep(0.02)

        site.slac.request_error_routine.subscribe(asked_for.append)
        await site.assembly.start()
        await until(lambda: site.slac.state.value is State.UNMATCHED)
        machine = site.assembly.modules["slac"].machine
        known = (machine.vendor, machine.modem.mac)
        liar = asyncio.get_running_loop().create_task(lie_on(machine.mac))
        await site.match()
        await asyncio.sleep(3.0)
        assert site.slac.dlink_ready.value and site.slac.state.value is State.MATCHED
        assert asked_for == [] and (machine.vendor, machine.modem.mac) == known
        liar.cancel()
        port.close()
        await site.stop()

    with caplog.at_level(logging.INFO, logger="secc.slac"):
        in_charger(cable, main())
    texts = [record.getMessage() for record in caplog.records]
    (chosen,) = [text for text in texts if "chose this charger" in text]
    found = re.search(r"10 sounds, ([\d.]+) dB", chosen)
    assert found is not None and 18.0 < float(found[1]) < 22.0, "the modem's own profile of 20 dB counts"
    assert 1 <= len([text for text in texts if "our modem is" in text]) <= 20, "rate-limited"


def test_a_missing_interface_is_unavailable_in_words(cable: Cable) -> None:
    async def main() -> None:
        with pytest.raises(Unavailable, match="there is no interface eth7"):
            PacketSocket("eth7", lambda _: None, lambda _: None)

    in_charger(cable, main())


def test_without_cap_net_raw_the_message_says_what_to_do(cable: Cable) -> None:
    """A process without the capability, in the same namespace."""
    script = (
        "import asyncio\n"
        "from chargebyte_fw.kernel.errors import Unavailable\n"
        "from chargebyte_fw.modules.slac.link import PacketSocket\n"
        "async def main():\n"
        "    try:\n"
        "        PacketSocket('eth1', print, print)\n"
        "    except Unavailable as error:\n"
        "        print(error)\n"
        "asyncio.run(main())\n"
    )
    drop = ["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]
    done = cable[0].run([*drop, sys.executable, "-c", script], cwd=ROOT, check=False)
    assert "CAP_NET_RAW" in done.stdout and "eth1" in done.stdout, done.stderr


def test_a_read_failure_of_the_socket_is_told_once(cable: Cable) -> None:
    async def main() -> None:
        lost: list[Unavailable] = []
        port = PacketSocket("eth1", lambda _: None, lost.append)
        cable[0].down()
        await until(lambda: lost)
        port.send(bytes(60))
        port.close()
        port.close()
        assert [str(error) for error in lost] == ["eth1 is gone: Network is down"]

    in_charger(cable, main())


def test_the_modems_run_as_a_program(cable: Cable) -> None:
    """`python -m chargebyte_fw.sim.modem_bench` says when it is ready and what it cannot open."""
    charger, far = cable
    command = [sys.executable, "-m", "chargebyte_fw.sim.modem_bench"]
    done = far.run([*command, "nodev0"], cwd=ROOT, check=False, env=os.environ)
    assert done.returncode == 1 and "nodev0" in done.stderr
    program = far.popen([*command, "eth1"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None and program.stdout.readline() == "modems are ready\n"
    answer = charger.run(["int6k", "-i", "eth1", "-r"], check=False)
    assert "QCA7005" in answer.stdout and "MAC-QCA7000" in answer.stdout
