"""The command line of a fleet, and the numbers that it adds up."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.energy import ExternalLimits, LimitsReq, NumberWithSource, ScheduleReqEntry
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.modules.ocpp.version import Version
from chargebyte_fw.sim.fleet.evse import limit_W
from chargebyte_fw.sim.fleet.options import Outage, PowerStep, parse
from chargebyte_fw.sim.fleet.summary import summary
from chargebyte_fw.sim.fleet.tally import MOST_KINDS, OTHERS, Latencies, Tally, total


def test_what_the_command_line_has() -> None:
    words = "wss://csms/ocpp --ocpp 2.1 --count 3 --password {identity}-secret --power 0:11000,60:3700 --outage 20:5"
    given, options = parse([*words.split(), "--outage", "40:5"])
    assert not given.json
    assert (options.version, options.security_profile, options.count) == (Version.V21, 2, 3)
    assert options.power == (PowerStep(0, 11000), PowerStep(60, 3700))
    assert [options.power_W(at_s) for at_s in (0, 59.9, 60)] == [11000, 11000, 3700]
    assert options.outages == (Outage(20, 5), Outage(40, 5))
    assert options.named(options.password, 7) == "fleet-00007-secret"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("--count 0", "--count is 1 to"),
        ("http://csms", "the URL begins with ws:// or wss://"),
        ("ws://csms --profile 1", "security profile 1 needs --password"),
        ("wss://csms --profile 3", "security profile 3 needs --certificate and --key"),
        ("wss://csms --root /nowhere.pem", "there is no file /nowhere.pem"),
        ("--power 10:1,5:2", "each step begins later than the one before"),
        ("--power much", "'much' is neither a power in W nor S:W,S:W,..."),
        ("--outage 5", "'5' is not AT:FOR, two times in s"),
        ("--identity same --count 2", "--identity needs {n}"),
        ("--identity {m}", "only {n} and {identity} can be put in"),
        ("--profile 1 --password x", "the small CSMS has security profile 0 only"),
    ],
)
def test_what_is_wrong_is_named(words: str, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(words.split())
    assert ended.value.code == 2
    assert text in capsys.readouterr().err


def test_latencies_are_known_to_an_eighth() -> None:
    latencies = Latencies()
    for number in range(1, 1001):
        latencies.add(number / 1000)
    for share in (0.5, 0.9, 0.99):
        assert latencies.within_s(share) == pytest.approx(share, rel=0.125)
    assert Latencies().within_s(0.5) is None


def test_errors_of_many_kinds_are_bounded() -> None:
    tally = Tally()
    for number in range(1000):
        tally.error(f"kind {number}")
    assert len(tally.errors) == MOST_KINDS + 1 and tally.errors[OTHERS] == 1000 - MOST_KINDS
    assert sum(total([tally, tally]).errors.values()) == 2000


def test_a_summary_names_what_is_missing() -> None:
    _, options = parse(["--count", "10"])
    tally = Tally(stations=10, were_connected=10, were_booted=9, have_charged=8, waiting=3)
    found: Any = summary(options, tally, 2.0)
    assert found["missing"] == [
        "1 of 10 stations were never accepted by the CSMS",
        "2 of 10 stations have not charged",
        "3 messages were not answered until the end",
    ]


def test_the_entry_of_now_limits() -> None:
    def entry(at: str, power_W: float) -> ScheduleReqEntry:
        root = LimitsReq(total_power_W=NumberWithSource(value=power_W, source="t"))
        return ScheduleReqEntry(timestamp=at, limits_to_root=root, limits_to_leaves=LimitsReq())

    entries = [entry("2020-01-01T00:00:00.000Z", 7000), entry("2090-01-01T00:00:00.000Z", 5000)]
    limits = ExternalLimits(schedule_import=entries, schedule_export=[], schedule_setpoints=[])
    assert limit_W(limits, utc_now()) == 7000
    assert limit_W(ExternalLimits(schedule_import=[], schedule_export=[], schedule_setpoints=[]), utc_now()) is None
