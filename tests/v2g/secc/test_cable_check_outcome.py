"""Passed, failed and aborted are three outcomes of a cable check; the interface tells two of them by one boolean."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.modules.v2g.iso15118_charger import Iso15118ChargerImpl
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from tests.v2g.talk import ev_status, stop, talk

KINDS = ["din", "iso2"]
pytestmark = pytest.mark.parametrize("kind", KINDS)


class Owner:
    """What the commands need of their module."""

    def __init__(self, facts: Any) -> None:
        self.engine = self
        self.facts = facts

    def facts_changed(self) -> None: ...


def at_cable_check(kind: str) -> tuple[Any, Iso15118ChargerImpl]:
    it = talk(kind, State.CABLE_CHECK)
    charger = Iso15118ChargerImpl.__new__(Iso15118ChargerImpl)
    charger.module = Owner(it.facts)  # type: ignore[assignment]
    return it, charger


def ask(it: Any) -> Any:
    return it.ask(it.m.CableCheckReq(DC_EVStatus=ev_status(it.m)))


def test_a_failed_check_is_failed_also_when_the_charger_stops_afterwards(kind: str) -> None:
    it, charger = at_cable_check(kind)
    assert ask(it).ResponseCode == "OK"
    asyncio.run(charger.cable_check_finished(False))
    asyncio.run(charger.stop_charging(True))
    assert ask(it).ResponseCode == "FAILED"


def test_an_aborted_check_is_ok_with_a_shutdown_and_the_session_may_end(kind: str) -> None:
    it, charger = at_cable_check(kind)
    ask(it)
    asyncio.run(charger.stop_charging(True))
    asyncio.run(charger.cable_check_finished(False))
    for _ in range(3):
        response = ask(it)
        assert (response.ResponseCode, response.EVSEProcessing) == ("OK", "Ongoing")
        assert response.DC_EVSEStatus.EVSEStatusCode == "EVSE_Shutdown"
        assert response.DC_EVSEStatus.EVSENotification == ("None" if kind == "din" else "StopCharging")
    assert it.ask(stop(it.m)).ResponseCode == "OK"


def test_a_check_begins_anew_when_the_wish_to_stop_was_taken_back(kind: str) -> None:
    it, charger = at_cable_check(kind)
    ask(it)
    asyncio.run(charger.stop_charging(True))
    asyncio.run(charger.cable_check_finished(False))
    asyncio.run(charger.stop_charging(False))
    response = ask(it)
    assert (response.ResponseCode, response.EVSEProcessing) == ("OK", "Ongoing")
    assert response.DC_EVSEStatus.EVSEStatusCode == "EVSE_IsolationMonitoringActive"
    assert it.charger.names().count("start_cable_check") == 2
    asyncio.run(charger.cable_check_finished(True))
    it.facts.session.isolation = "Valid"
    assert ask(it).EVSEProcessing == "Finished"
