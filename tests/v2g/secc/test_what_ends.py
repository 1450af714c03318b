"""What belongs to an energy transfer, a session or a plug-in ends with it, in every protocol."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types import iso15118_vas
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.modules.v2g.messages import din, iso2, iso20_dc
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.facts import Iso20Settings, PausedIso20Session, PausedSession
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from chargebyte_fw.modules.v2g.value_added_services import ValueAddedServices
from tests.v2g.talk import Talk, talk
from tests.v2g.talk20 import (
    Course,
    Talk20,
    ac20_facts,
    dc20_facts,
    dc_loop,
    dc_parameters,
    discovery,
    of,
    power,
    precharge,
    profile,
    schedule,
    selection,
    session_setup,
    stop,
    talk20,
)

# -- a paused session


def with_paused(facts: Any) -> Any:
    facts.paused = PausedSession(b"before-2", "02:00:00:00:00:02")
    facts.iso20.paused = PausedIso20Session(b"before20", b"vehicle", 2, 0, {"ControlMode": 2})
    return facts


@pytest.mark.parametrize("protocol", ["din", "iso2", "iso20"])
def test_a_session_of_any_protocol_ends_the_paused_ones(protocol: str) -> None:
    if protocol == "iso20":
        it: Any = Talk20(with_paused(dc20_facts()))
        assert it.ask(session_setup()).ResponseCode == "OK_NewSessionEstablished"
    else:
        messages: Any = din if protocol == "din" else iso2
        it = Talk(messages, with_paused(talk("iso2").facts))
        assert it.ask(messages.SessionSetupReq(EVCCID=bytes(6))).ResponseCode == "OK_NewSessionEstablished"
    assert (it.facts.paused, it.facts.iso20.paused) == (None, None)


# -- session ids


@pytest.mark.parametrize("protocol", ["din", "iso2", "iso20"])
def test_a_session_id_is_never_zero(protocol: str) -> None:
    """Zero stands for no session: [V2G2-460], [V2G20-835]."""
    drawn = [bytes(8), bytes(8), b"\0\0\0\0\0\0\0\1"]
    it: Any = Talk20(dc20_facts()) if protocol == "iso20" else talk(protocol)
    it.charger.environment.random_bytes = lambda count: drawn.pop(0)
    it.ask(session_setup() if protocol == "iso20" else it.m.SessionSetupReq(EVCCID=bytes(6)))
    assert it.session_id == b"\0\0\0\0\0\0\0\1"


# -- an energy transfer of ISO 15118-20


def other_services(it: Talk20, service: int, set_id: int) -> None:
    """Go back to the services from the charge loop, and select one."""
    assert it.ask(power("Stop")).ResponseCode == "OK"
    assert it.ask(stop("ServiceRenegotiation")).ResponseCode == "OK"
    for request in (discovery(), of(m.ServiceDetailReq, ServiceID=service), selection(service, set_id)):
        assert it.ask(request).ResponseCode == "OK"


def test_a_schedule_ends_with_its_energy_service() -> None:
    """A car of Dynamic control is not held to what it had in Scheduled control before."""
    options = Iso20Settings(scheduled=True, schedule_renegotiation=True)
    it = talk20(S.CHARGING, dc20_facts("DC", "DC_BPT"), options, Course(dynamic=False, set_id=1))
    assert it.ask(dc_loop(dynamic=False)).EVSEStatus is None
    other_services(it, 2, 0)
    it.change(dc_max_power_W=10_000.0)
    assert it.ask(dc_parameters()).ResponseCode == "OK"
    assert it.ask(schedule()).ResponseCode == "OK"
    check = of(iso20_dc.DC_CableCheckReq)
    it.ask(check)
    it.change(cable_check=True)
    assert it.ask(check).ResponseCode == "OK"
    assert it.ask(precharge()).ResponseCode == "OK"
    assert it.ask(power(profile=profile(125_000, dynamic=True))).ResponseCode == "OK"
    assert it.ask(dc_loop()).EVSEStatus is None, "there is no schedule to renegotiate"


# -- what was offered


def test_a_parameter_set_that_was_described_may_be_selected() -> None:
    """Whatever the charger would offer by now: the set id that the car has read means what it has read."""
    facts = ac20_facts("AC_three_phase_core", connectors=("SinglePhase", "ThreePhase"))
    path = talk20(S.SERVICE_SELECTION, facts, course=Course(1))
    parameters = facts.iso20.ac_parameters
    assert parameters is not None
    parameters.connectors = parameters.connectors[1:]
    assert path.ask(selection(1, 0)).ResponseCode == "OK"
    assert path.value("selected_service_parameters").connector == "SinglePhase"


def test_a_new_discovery_describes_anew() -> None:
    facts = ac20_facts("AC_three_phase_core", connectors=("SinglePhase", "ThreePhase"))
    it = talk20(S.CHARGE_PARAMETERS, facts, course=Course(1))
    parameters = facts.iso20.ac_parameters
    assert parameters is not None
    parameters.connectors = parameters.connectors[1:]
    assert it.ask(stop("ServiceRenegotiation")).ResponseCode == "OK"
    assert it.ask(discovery()).ResponseCode == "OK"
    sets = it.ask(of(m.ServiceDetailReq, ServiceID=1)).ServiceParameterList.ParameterSet
    assert [one.Parameter[0].intValue for one in sets] == [3, 3]


# -- value-added services


class Provider:
    """Provides one service, and keeps what is selected of it."""

    def __init__(self, service_id: int, *, fails: bool = False) -> None:
        self.service_id = service_id
        self.selected: list[list[int]] = []
        self.fails = fails
        self.offered_vas = self

    def subscribe(self, callback: Any) -> None:
        offered = iso15118_vas.OfferedService(service_id=self.service_id)
        callback(iso15118_vas.OfferedServices(services=[offered]))

    async def selected_services(self, selected: list[Any]) -> None:
        self.selected.append([one.parameter_set_id for one in selected])
        if self.fails:
            raise CommandError("HandlerException", "out of order")


def test_a_service_that_a_car_gives_up_is_given_up_at_its_provider() -> None:
    providers = [Provider(65), Provider(70, fails=True)]
    lines: list[str] = []

    class Lines:
        def warning(self, text: str, *args: Any) -> None:
            lines.append(text % args)

    services = ValueAddedServices(providers, Lines(), lambda _: None)  # type: ignore[arg-type]
    services.subscribe()
    for selected in ((), ((65, 3),), ((65, 4), (70, 1)), ((70, 1),), (), ()):
        asyncio.run(services.select(selected))
    assert providers[0].selected == [[3], [4], []]
    assert providers[1].selected == [[1], [1], []]
    assert len(lines) == 3


def test_a_car_that_selects_anew_without_them_gives_other_services_up() -> None:
    offered = {65: iso15118_vas.OfferedService(service_id=65)}
    it = talk20(S.SERVICE_SELECTION, dc20_facts(offered_services=offered))
    assert it.ask(selection(2, 0, ((65, 3),))).ResponseCode == "OK"
    for expected in ([((65, 3),), ()], [((65, 3),), ()]):
        assert it.ask(stop("ServiceRenegotiation")).ResponseCode == "OK"
        for request in (discovery(), of(m.ServiceDetailReq, ServiceID=2), selection()):
            assert it.ask(request).ResponseCode == "OK"
        assert [one.selected for one in it.charger.log if isinstance(one, out.SelectServices)] == expected


def test_the_facts_of_a_session_are_replaced_whole() -> None:
    it = talk("iso2", State.CHARGING)
    before = it.facts.session
    it.end()
    assert it.facts.session is not before and it.facts.session.authorized is None
