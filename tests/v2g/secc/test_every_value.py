"""Every request with each of its fields left out, at its bounds, of another member, and cut off at any octet.

Whatever it is, the car gets an answer of the right kind, nothing raises, and what is published keeps to the contract.
"""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from chargebyte_fw.contracts.interfaces.cb_iso15118_schedules import CbIso15118Schedules
from chargebyte_fw.contracts.interfaces.grid_support import GridSupport
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.iso15118_extensions import Iso15118Extensions
from chargebyte_fw.kernel.effects import Publish
from chargebyte_fw.modules.v2g.exi import EncodeError
from chargebyte_fw.modules.v2g.secc import effects as out
from chargebyte_fw.modules.v2g.secc.common.sequence import State
from chargebyte_fw.modules.v2g.secc.din.sequence import SEQUENCE as DIN_SEQUENCE
from chargebyte_fw.modules.v2g.secc.iso2 import sequence as iso2_sequence
from chargebyte_fw.modules.v2g.secc.iso20 import sequence as iso20_sequence
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.exi.variants import variants
from tests.v2g.secc.test_fuzz import check_the_end
from tests.v2g.talk import requests, talk
from tests.v2g.talk20 import (
    Course,
    ac20_facts,
    ac_loop,
    ac_parameters,
    dc20_facts,
    dc_loop,
    dc_parameters,
    power,
    profile,
    schedule,
    talk20,
    talk20_ac,
)
from tests.v2g.talk20 import requests as requests20

HINTS = {
    contract.interface: typing.get_type_hints(contract)
    for contract in (Iso15118Charger, Iso15118Extensions, CbIso15118Schedules, GridSupport)
}
BEYOND = {"dc_ev_maximum_limits", "dc_ev_target_voltage_current", "ev_info"}
"""What ISO 15118-20 has and EVerest's types have not: megawatts, current from the car, an EVCCID that is no address."""
PATHS20 = (S.RESUMED, S.PRECHARGING, S.SCHEDULE_RENEGOTIATION, S.NEW_SCHEDULE)


def first_states(table: Any, names: Any) -> Iterator[tuple[Any, str]]:
    """Each request with the first state in which it is in turn."""
    for name in names:
        found = next((state for state, row in table.items() if name in row and state not in PATHS20), None)
        if found is not None:
            yield found, name


def at(kind: str, state: Any) -> Any:
    if kind == "iso20-dc":
        return talk20(state, dc20_facts("DC", "DC_BPT"))
    if kind == "iso20-ac":
        return talk20_ac(state, ac20_facts("AC_three_phase_core", "AC_BPT"))
    return talk(kind, state)


TABLES: dict[str, tuple[Any, Callable[[Any], dict[str, Any]]]] = {
    "din": (DIN_SEQUENCE, lambda it: requests(it.m)),
    "iso2": (iso2_sequence.DC, lambda it: requests(it.m)),
    "ac": (iso2_sequence.AC, lambda it: requests(it.m, "AC_three_phase_core")),
    "iso20-dc": (iso20_sequence.DC, lambda it: requests20()),
    "iso20-ac": (iso20_sequence.AC, lambda it: requests20()),
}
FAMILY = {"ac": "iso2", "iso2": "iso2"}
FIRST = {"din": State.SESSION_SETUP, "iso2": State.SESSION_SETUP, "ac": State.SESSION_SETUP}
EVERY = [
    (kind, state, name)
    for kind, (table, make) in TABLES.items()
    for state, name in first_states(table, make(at(kind, FIRST.get(kind, S.SESSION_SETUP))))
]


def keeps_to_the_contract(effects: list[Any]) -> None:
    for effect in effects:
        if not isinstance(effect, Publish) or effect.variable in BEYOND:
            continue
        (kind,) = typing.get_args(HINTS[effect.interface][effect.variable])
        plain = msgspec.to_builtins(effect.value)
        try:
            msgspec.convert(plain, kind)
        except msgspec.ValidationError as error:
            raise AssertionError(f"{effect.variable}: {error}: {plain}") from error


def answers_every_variant(begin: Callable[[], Any], state: Any, request: Any) -> int:
    """Ask with every variant of a request, in sessions that are in this state; return how many there were."""
    it, name = begin(), type(request).__name__
    tried, seen = 0, 0
    for place, changed in variants(request):
        try:
            frame = it.frame(changed)
        except EncodeError:
            continue
        tried += 1
        effects = it.raw(frame)
        answer = it.answer_in(effects)
        if answer is None:
            effects += it.wait(6.0)
            answer = it.answer_in([one for one in effects if isinstance(one, out.Send)][:1])
        assert type(answer).__name__ == f"{name[:-3]}Res", place
        keeps_to_the_contract(it.charger.log[seen:])
        seen = len(it.charger.log)
        if it.closing or it.machine.session.state is not state:
            check_the_end(it)
            it, seen = begin(), 0
    check_the_end(it)
    return tried


@pytest.mark.parametrize(("kind", "state", "name"), EVERY, ids=lambda one: getattr(one, "name", one))
def test_a_request_with_any_value_is_answered_in_kind(kind: str, state: Any, name: str) -> None:
    request = TABLES[kind][1](at(kind, state))[name]
    tried = answers_every_variant(lambda: at(kind, state), state, request)
    assert tried or not request.__struct_fields__ or kind == "din"


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("direct", [True, False], ids=["dc", "ac"])
def test_the_modes_of_iso_15118_20_answer_any_value(direct: bool, dynamic: bool, bidirectional: bool) -> None:
    service = (6 if bidirectional else 2) if direct else (5 if bidirectional else 1)
    course = Course(service, dynamic=dynamic, bidirectional=bidirectional, set_id=0 if dynamic else 1)
    needs = profile(3_000, dynamic=dynamic)
    parameters, loop = (dc_parameters, dc_loop) if direct else (ac_parameters, ac_loop)
    for state, request in (
        (S.CHARGE_PARAMETERS, parameters(bidirectional=bidirectional)),
        (S.SCHEDULE, schedule(dynamic=dynamic)),
        (S.POWER_DELIVERY, power(profile=needs)),
        (S.CHARGING, loop(dynamic=dynamic, bidirectional=bidirectional)),
    ):

        def begin(state: S = state) -> Any:
            if direct:
                return talk20(state, dc20_facts("DC", "DC_BPT"), course=course)
            return talk20_ac(state, ac20_facts("AC_three_phase_core", "AC_BPT"), course=course)

        assert answers_every_variant(begin, state, request) > 5


@pytest.mark.parametrize(("kind", "state", "name"), EVERY, ids=lambda one: getattr(one, "name", one))
def test_a_request_cut_off_at_any_octet_is_answered_or_ignored(kind: str, state: Any, name: str) -> None:
    make, it = TABLES[kind][1], at(kind, state)
    frame = it.frame(make(it)[name])
    for octets in range(len(frame) - 8):
        effects = it.raw(frame[:4] + octets.to_bytes(4, "big") + frame[8 : 8 + octets])
        answer = it.answer_in(effects)
        if answer is not None:
            assert type(answer).__name__ == f"{name[:-3]}Res"
        if it.closing or it.machine.connection.not_understood > 15:
            check_the_end(it)
            it = at(kind, state)
    check_the_end(it)


@pytest.mark.parametrize("kind", TABLES)
def test_requests_of_other_protocols_are_ignored_or_refused(kind: str) -> None:
    """In whatever frame they come; too many of them end the connection."""
    foreign = []
    for other in TABLES:
        if FAMILY.get(other, other[:5]) != FAMILY.get(kind, kind[:5]):
            it = at(other, FIRST.get(other, S.SESSION_SETUP))
            foreign += [it.frame(one) for one in TABLES[other][1](it).values()]
    for state in (FIRST.get(kind, S.SESSION_SETUP), State.CHARGING if kind in FIRST else S.CHARGING):
        it = at(kind, state)
        for frame in foreign:
            for payload_type in (b"\x80\x01", b"\x80\x02", frame[2:4]):
                answer = it.answer_in(it.raw(frame[:2] + payload_type + frame[4:]))
                assert answer is None or str(answer.ResponseCode).startswith("FAILED")
                if it.closing:
                    check_the_end(it)
                    it = at(kind, state)
        check_the_end(it)
