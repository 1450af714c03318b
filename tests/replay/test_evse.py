"""What the charging kernel learns beside its events, and what a file hides, is no obstacle to the replay."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.cli.trace_replay import play
from chargebyte_fw.contracts.types.authorization import AuthorizationStatus, ValidationResult
from chargebyte_fw.kernel.trace import Entry
from chargebyte_fw.manager.recording import read
from tests.evse.world import TOKEN, Assemble, Run, World

ACCEPTED = ValidationResult(authorization_status=AuthorizationStatus.Accepted, tariff_messages=[], reservation_id=7)


def story(assemble: Assemble, run: Run, tmp_path: Path, **config: Any) -> list[Entry]:
    """A reserved session with a log, up to the end of its transaction; as it comes back from a file."""

    async def main() -> None:
        w = await World(assemble, **config).start()
        assert await w.m.evse.reserve(7)
        w.bsp.cp("B")
        await asyncio.sleep(0.5)
        await w.m.evse.authorize_response(TOKEN, ACCEPTED)
        await w.until_state("PrepareCharging")
        w.bsp.cp("C")
        await asyncio.sleep(2.0)
        w.bsp.cp("B")
        await asyncio.sleep(1.0)
        await w.unplug()
        await asyncio.sleep(5.0)
        w.m.runtime.trace.save(tmp_path / "t.cbor")

    run(main())
    return list(read(tmp_path / "t.cbor").entries)


def test_reservation_and_session_id_are_inputs(assemble: Assemble, run: Run, tmp_path: Path) -> None:
    entries = story(assemble, run, tmp_path, session_logging=True, session_logging_path="/logs")
    events = [data for _, kind, source, data in entries if (kind, source) == ("var", "evse.evse.session_event")]
    started = next(data["session_started"] for data in events if data["event"] == "SessionStarted")
    assert started["logging_path"].startswith("/logs/"), "the owner of the log adds it"
    told = [data for _, _, source, data in entries if source == "evse.PublishSessionEvent"]
    assert any(data["extra"].get("transaction_started", {}).get("reservation_id") == 7 for data in told)
    (outcome,) = play(entries, "evse")
    assert (outcome.remark, outcome.difference) == ("", None) and outcome.outputs > 20


@pytest.mark.parametrize("kind", ["chance", "event"])
def test_without_one_of_them_the_replay_differs(assemble: Assemble, run: Run, tmp_path: Path, kind: str) -> None:
    entries = story(assemble, run, tmp_path, session_logging=True, session_logging_path="/logs")
    (outcome,) = play([entry for entry in entries if entry[1] != kind], "evse")
    assert outcome.difference is not None


def test_a_token_is_hidden_in_the_file_and_no_difference(assemble: Assemble, run: Run, tmp_path: Path) -> None:
    entries = story(assemble, run, tmp_path)
    assert TOKEN.id_token.value.encode() not in (tmp_path / "t.cbor").read_bytes()
    (outcome,) = play(entries, "evse")
    assert outcome.difference is None


def test_autocharge_by_the_address_of_the_car_is_no_difference(assemble: Assemble, run: Run, tmp_path: Path) -> None:
    async def main() -> None:
        w = await World(assemble, dc=True, enable_autocharge=True, autocharge_use_slac_instead_of_hlc=True).start()
        await w.plug_and_match()
        w.slac.main.ev_mac_address.publish("AA:BB:CC:00:11:22")
        w.ask_authorization()
        await asyncio.sleep(2.0)
        assert w.tokens, "a token is made of the address"
        w.m.runtime.trace.save(tmp_path / "t.cbor")

    run(main())
    (outcome,) = play(read(tmp_path / "t.cbor").entries, "evse")
    assert (outcome.remark, outcome.difference) == ("", None)
    assert any(source == "evse.Publish" for _, _, source, _ in read(tmp_path / "t.cbor").entries)
