"""What `secc watch --json` writes: one change a line, and nothing for what passes by itself."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from typing import Any

from msgspec.structs import replace

from chargebyte_fw.cli.watch_view import JsonLines, TextLines
from chargebyte_fw.manager.status.changes import Change, changes
from chargebyte_fw.manager.status.model import Help, State, Status
from tests.cli.status_sample import charging, sample, stopped


def later(**of_evse: Any) -> Status:
    fault = replace(sample().faults[0], for_s=139.6)
    evse = replace(charging(), **of_evse)
    return replace(
        sample(), time="2026-11-22T13:30:22.123Z", evses=[evse, stopped()], faults=[fault, sample().faults[1]]
    )


def test_what_passes_by_itself_is_no_change() -> None:
    assert changes(sample(), later()) == []


def test_changes_have_a_path_by_names_and_both_values() -> None:
    after = later(state=State.Finished, help=Help.unplug)
    after.faults.pop()
    assert [(one.what, one.was, one.now) for one in changes(sample(), after)[:2]] == [
        ("evses.connector_1.state", "Charging", "Finished"),
        ("evses.connector_1.help", "nothing", "unplug"),
    ]
    gone = changes(sample(), after)[2]
    assert gone.what == "faults.meter.powermeter/CommunicationFault" and gone.now is None
    assert gone.was["severity"] == "Medium"
    assert changes(later(power_W=9000.0), later(power_W=8000.0)) == [
        Change("evses.connector_1.power_W", 9000.0, 8000.0)
    ]


async def pictures(*given: Status | str) -> AsyncIterator[Status | str]:
    for one in given:
        yield one


def test_a_line_for_each_change_and_for_a_charger_that_goes_and_comes(run: Any) -> None:
    stream, text = io.StringIO(), io.StringIO()
    given = (later(), later(state=State.Finished), "it does not answer", "it does not answer", sample())
    run(JsonLines(stream, 0).show(sample(), pictures(*given)))
    run(TextLines(text, 1).show(sample(), pictures(*given)))
    whole, change, lost, again = map(json.loads, stream.getvalue().splitlines())
    assert whole["status"]["evses"][0]["id"] == "connector_1"
    assert change == {
        "time": "2026-11-22T13:30:22.123Z", "what": "evses.connector_1.state", "was": "Charging", "now": "Finished"
    }  # fmt: skip
    assert lost["lost"] == "it does not answer" and "status" in again
    first, second = text.getvalue().splitlines()
    assert first.endswith("/run/secc/control: EVSE 1 Charging, EVSE 2 ChargingPausedEVSE, faults: 2")
    assert second.endswith("evses.connector_1.state: Charging -> Finished")
