"""EvseSlac as a module: what it publishes is what was recorded of EVerest's; its configuration is honoured."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.types.slac import State
from chargebyte_fw.kernel import memory
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.kernel.pump import Pump
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.modules.slac.evse_slac import EvseSlac, SlacConfig, options_from_config
from chargebyte_fw.modules.slac.machine.ev import EvOptions
from chargebyte_fw.modules.slac.machine.events import Reset, TriggerMatching
from chargebyte_fw.modules.slac.machine.modem import EvseOptions
from chargebyte_fw.modules.slac.messages import CmSetKeyReq, CmSlacMatchCnf, CmSlacParmReq, Frame, Unknown, decode
from chargebyte_fw.sim.modem_bench import ModemBench
from tests.slac.captures import FOLDER
from tests.slac.peers import drive_car

Run = Callable[[Any], Any]
Assemble = Callable[..., Any]
CAR = b"\x02\0\0\0\0\xca"


class Site:
    """EvseSlac, the virtual modems and a car, joined in memory."""

    def __init__(self, assemble: Assemble, runtime: Runtime, **config: Any) -> None:
        charger_end, plc0 = memory.wire(mac_a=b"\x02\0\0\0\0\x01")
        car_end, plc1 = memory.wire(mac_a=CAR)
        runtime.wires.plug("ethernet:eth1", charger_end)
        self.errors: list[BaseException] = []
        self.ends: list[str] = []
        self.bench = ModemBench({"charger": plc0, "car": plc1}, self.errors.append, chance=random.Random(1))
        self.car: Pump = drive_car(car_end, self.errors.append, self.ends.append, EvOptions(repetition_s=0.0))
        self.charger_end, self.plc0 = charger_end, plc0
        self.assembly = assemble(slac=(EvseSlac, {}, {}, {"main": config}))
        self.slac: Any = self.assembly.modules["slac"].main
        self.log: list[tuple[str, Any]] = []
        for name in ("state", "dlink_ready", "ev_mac_address", "request_error_routine"):
            getattr(self.slac, name).subscribe(lambda value, name=name: self.log.append((name, value)))

    async def start(self) -> None:
        await self.assembly.start()

    async def idle(self) -> None:
        await self.start()
        async with asyncio.timeout(5):
            await self.slac.state.wait_for(lambda state: state is State.UNMATCHED)
        await asyncio.sleep(0.01)

    async def match(self) -> None:
        await self.slac.enter_bcd()
        self.car.feed(TriggerMatching())
        await asyncio.sleep(1.0)

    async def stop(self) -> None:
        await self.assembly.stop()
        self.car.close()
        self.bench.close()
        assert self.errors == []


def recorded_variables() -> list[tuple[str, Any]]:
    """What EVerest's EvseSlac published during the recorded match."""
    lines = [json.loads(line) for line in (FOLDER / "everest-slac.jsonl").read_text().splitlines()]
    return [
        (line["topic"].rsplit("/", 1)[1], line["payload"]["data"]["data"])
        for line in lines
        if line["payload"]["msg_type"] == "Var"
    ]


def test_a_match_publishes_what_everest_published(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.slac.reset(True)
        await asyncio.sleep(2.0)
        await site.match()
        published = [(name, msgspec.to_builtins(value)) for name, value in site.log]
        recorded = [
            (name, "02:00:00:00:00:CA" if name == "ev_mac_address" else value) for name, value in recorded_variables()
        ]
        assert published == recorded
        assert site.ends == [""]
        await site.stop()

    run(main())


def test_the_configuration_has_everests_names_and_defaults() -> None:
    line = json.loads((FOLDER / "everest-slac.jsonl").read_text().splitlines()[0])
    recorded = {
        entry["name"]: entry["value"]
        for entry in line["payload"]["data"]["response"]["data"]["module_config"]["configuration_parameters"]["main"]
    }
    ours = msgspec.to_builtins(SlacConfig())
    assert {**recorded, "device": "eth1"} == ours


def test_the_defaults_are_those_of_the_machine() -> None:
    assert options_from_config(SlacConfig()) == EvseOptions()


def test_every_key_of_the_configuration_reaches_the_machine_or_the_link() -> None:
    """An accepted and ignored key is a defect: changing any of them changes the options."""
    elsewhere = {"device", "startup_delay_ms"}
    for field in msgspec.structs.fields(SlacConfig):
        if field.name in elsewhere:
            continue
        changed: Any = not field.default if isinstance(field.default, bool) else field.default + 7
        assert options_from_config(msgspec.structs.replace(SlacConfig(), **{field.name: changed})) != EvseOptions(), (
            field.name
        )


@pytest.mark.parametrize("value", [9_999, 50_001])
def test_tt_evse_slac_init_is_10_to_50_s(value: int) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"slac_init_timeout_ms": value}, SlacConfig)


def test_the_start_up_delay_is_kept(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime, startup_delay_ms=3000)
        await site.start()
        await asyncio.sleep(2.9)
        assert len(runtime.trace) == 0 or not [e for e in runtime.trace.entries() if e[1] == "slac"]
        await asyncio.sleep(0.2)
        assert site.log == [("state", State.UNMATCHED)]
        await site.stop()

    run(main())


def test_reset_false_unmatches_reset_true_does_nothing(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.match()
        site.log.clear()
        await site.slac.reset(True)
        await asyncio.sleep(0.1)
        assert site.log == []
        await site.slac.reset(False)
        await asyncio.sleep(0.1)
        assert site.log == [("dlink_ready", False), ("state", State.UNMATCHED)]
        await site.stop()

    run(main())


@pytest.mark.parametrize("command", ["dlink_terminate", "dlink_error", "leave_bcd"])
def test_the_end_of_a_session_leaves_the_network(run: Run, assemble: Assemble, runtime: Runtime, command: str) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.match()
        assert site.bench.link_up("car")
        site.log.clear()
        await getattr(site.slac, command)()
        await asyncio.sleep(0.1)
        assert site.log == [("dlink_ready", False), ("state", State.UNMATCHED)]
        assert not site.bench.link_up("car"), "the modem has another key"
        await site.stop()

    run(main())


def test_a_pause_keeps_the_match(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.match()
        site.log.clear()
        await site.slac.dlink_pause()
        await asyncio.sleep(10.0)
        assert site.log == [] and site.bench.link_up("car")
        await site.stop()

    run(main())


def test_a_second_car_is_matched_after_the_first(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.match()
        await site.slac.leave_bcd()
        await site.slac.reset(False)
        site.car.feed(Reset())
        await asyncio.sleep(1.0)
        site.log.clear()
        await site.match()
        assert ("dlink_ready", True) in site.log
        await site.stop()

    run(main())


def test_a_silent_car_ends_in_the_error_routine(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.slac.enter_bcd()
        await asyncio.sleep(39.0)
        assert [name for name, _ in site.log] == ["state", "state"]
        await asyncio.sleep(2.0)
        assert [name for name, _ in site.log] == ["state", "state", "request_error_routine"]
        await site.stop()

    run(main())


def test_a_silent_modem_is_a_warning_until_it_answers(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        site.bench.power("charger", False)
        await site.start()
        await asyncio.sleep(10.0)
        (fault,) = site.slac.faults.active
        assert (fault.type, fault.sub_type) == ("generic/VendorWarning", "ModemSilent")
        assert site.log == []
        site.bench.power("charger", True)
        await asyncio.sleep(2.0)
        assert site.slac.faults.active == () and site.log == [("state", State.UNMATCHED)]
        await site.stop()

    run(main())


def test_a_missing_interface_is_a_communication_fault(
    run: Run, assemble: Assemble, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        assembly = assemble(slac=(EvseSlac, {}, {}, {"main": {"device": "nodev9"}}))
        slac = assembly.modules["slac"].main
        with caplog.at_level(logging.INFO, logger="secc.slac"):
            await assembly.start()
            await asyncio.sleep(30.0)
        (fault,) = slac.faults.active
        assert fault.type == "generic/CommunicationFault" and fault.severity is Severity.High
        assert "nodev9" in fault.message
        assert len(caplog.records) == 1, "one line, not one a second"
        await slac.enter_bcd()
        await slac.reset(False)
        assert not slac.state.known
        await assembly.stop()

    run(main())


def test_bad_frames_are_one_line_each_and_no_harm(
    run: Run, assemble: Assemble, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        whole = Frame(b"\xff" * 6, CAR, CmSlacParmReq(run_id=bytes(8))).encode()
        bad = [b"", whole[:5], whole[:18], whole[:25], bytes(60), whole[:14] + b"\x07" + whole[15:], b"\xff" * 9000]
        with caplog.at_level(logging.WARNING, logger="secc.slac"):
            for frame in bad:
                site.plc0.send(frame)
            await asyncio.sleep(0.1)
        assert len(caplog.records) == len(bad)
        assert all(record.exc_info is None for record in caplog.records)
        await site.match()
        assert ("dlink_ready", True) in site.log
        await site.stop()

    run(main())


def test_a_flood_of_bad_frames_is_a_few_lines_a_minute(
    run: Run, assemble: Assemble, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.slac.enter_bcd()
        with caplog.at_level(logging.WARNING, logger="secc.slac"):
            for number in range(2000):
                sender = b"\6" + number.to_bytes(5, "big")
                wrong = CmSlacParmReq(application_type=1)
                site.plc0.send(Frame(b"\xff" * 6, sender, wrong).encode())
                site.plc0.send(b"\xff" * 6 + sender + b"\x88\xe1\x09" + bytes(50))
                await asyncio.sleep(0.01)
            await asyncio.sleep(45.0)
        texts = [record.getMessage() for record in caplog.records]
        texts.remove("matching failed: no CM_SLAC_PARM.REQ within TT_EVSE_SLAC_init")
        assert len(texts) == 11
        assert texts[10] == "3990 more bad frames came within 60 s"
        await site.stop()

    run(main())


def test_frames_go_to_the_trace_without_their_keys(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.match()
        frames = [
            decode(data) for _, kind, source, data in runtime.trace.entries() if (kind, source) == ("slac", "eth1")
        ]
        titles = [frame.message.title for frame in frames]
        assert titles.count("CM_ATTEN_PROFILE.IND") == 10 and titles[-1] == "CM_SLAC_MATCH.CNF"
        assert not any(isinstance(frame.message, Unknown) for frame in frames)
        keys = [frame.message.new_key for frame in frames if isinstance(frame.message, CmSetKeyReq)]
        keys += [frame.message.nmk for frame in frames if isinstance(frame.message, CmSlacMatchCnf)]
        assert len(keys) == 2
        assert set(keys) == {bytes(16)}
        await site.stop()

    run(main())


def test_the_log_tells_the_match_in_a_few_lines(
    run: Run, assemble: Assemble, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        with caplog.at_level(logging.INFO, logger="secc.slac"):
            await site.idle()
            await site.match()
        texts = [record.getMessage() for record in caplog.records]
        assert len(texts) == 4, texts
        assert texts[0].startswith("modem: Qualcomm QCA7000")
        assert texts[1] == "EV 02:00:00:00:00:CA asks to match"
        assert re.fullmatch(r"EV 02:00:00:00:00:CA chose this charger \(10 sounds, \d+\.\d dB on average\)", texts[2])
        assert texts[3] == "data link is up"
        await site.stop()

    run(main())


def test_a_stop_takes_the_link_down_and_releases_the_interface(run: Run, assemble: Assemble, runtime: Runtime) -> None:
    async def main() -> None:
        site = Site(assemble, runtime)
        await site.idle()
        await site.match()
        site.log.clear()
        await site.stop()
        await asyncio.sleep(0.1)
        assert site.log == [("dlink_ready", False), ("state", State.UNMATCHED)]
        assert site.charger_end.receive is None

    run(main())


def test_a_stop_before_the_start_up_delay_is_over_forgets_the_start(
    run: Run, assemble: Assemble, runtime: Runtime
) -> None:
    async def main() -> None:
        site = Site(assemble, runtime, startup_delay_ms=1000)
        await site.start()
        await site.stop()
        await asyncio.sleep(5.0)
        assert site.charger_end.receive is None and site.log == []

    run(main())
