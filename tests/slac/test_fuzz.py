"""Whatever comes, in whatever order: both machines stay within their states, bounded, and usable afterwards."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.modules.slac import messages_vendor as vendor
from chargebyte_fw.modules.slac.declare import Mme, declared
from chargebyte_fw.modules.slac.machine.ev import EvOptions, EvSlac
from chargebyte_fw.modules.slac.machine.ev import State as EvState
from chargebyte_fw.modules.slac.machine.events import (
    DlinkReady,
    EnterBcd,
    LeaveBcd,
    LinkDown,
    LinkUp,
    Reset,
    Send,
    StateIs,
    TriggerMatching,
)
from chargebyte_fw.modules.slac.machine.evse import MAXIMUM_SESSIONS
from chargebyte_fw.modules.slac.machine.modem import EvseOptions, State
from chargebyte_fw.modules.slac.messages import (
    BROADCAST,
    CmAttenCharInd,
    CmSetKeyCnf,
    CmSlacMatchCnf,
    CmSlacParmCnf,
    Frame,
    decode,
)
from tests.slac.stand import EV, EVSE, RUN_ID, Charger, Stand

addresses = st.sampled_from([EVSE, EV, BROADCAST, b"\2\0\0\0\0\xc2", bytes(6)])
run_ids = st.sampled_from([RUN_ID, bytes(8), b"another."])


@st.composite
def messages(draw: st.DrawFn) -> Mme:
    """Any message, its fields near what a peer would send."""
    declaration = draw(st.sampled_from(declared()))
    values: dict[str, Any] = {}
    for name, place in declaration.places.items():
        if place.kind == "counted":
            values[place.counter] = draw(st.sampled_from([0, 1, 58, 255]))
            values[name] = bytes([draw(st.integers(0, 255))]) * values[place.counter]
        elif name == "run_id":
            values[name] = draw(run_ids)
        elif place.kind == "octets" and place.size == 6:
            values[name] = draw(addresses)
        elif place.kind == "number" and draw(st.booleans()) and name not in values:
            values[name] = draw(st.integers(0, 256**place.size - 1))
    return declaration(**values)


class RightStep:
    """Not noise: what a well behaved peer and modem do next."""

    def __repr__(self) -> str:
        return "RightStep()"


frames = st.builds(Frame, addresses, addresses, messages())
pauses = st.sampled_from([0.0, 0.001, 0.02, 0.05, 0.2, 0.45, 0.7, 11.0, 45.0])
steps = st.just(RightStep())
charger_events = st.one_of(
    frames, steps, steps, st.sampled_from([Reset(), EnterBcd(), LeaveBcd(), LinkUp(EVSE), LinkDown()])
)
car_events = st.one_of(frames, steps, steps, st.sampled_from([Reset(), TriggerMatching(), LinkUp(EV), LinkDown()]))
options = st.builds(
    EvseOptions, do_chip_reset=st.booleans(), link_status_detection=st.booleans(), reset_instead_of_fail=st.booleans()
)


def watch(effects: list[Any], up: bool) -> bool:
    """Check what holds for every effect; returns whether the link is said to be up."""
    for effect in effects:
        if isinstance(effect, Send):
            assert decode(effect.frame.encode()).message == effect.frame.message
        if isinstance(effect, DlinkReady):
            assert effect.up != up, "dlink_ready says something new each time"
            up = effect.up
    return up


def help_charger(charger: Charger) -> list[Any]:
    """Do what brings the charger on."""
    already = len(charger.effects)
    match charger.state:
        case State.INIT | State.RESET:
            charger.from_modem(CmSetKeyCnf())
        case State.RESET_CHIP:
            charger.from_modem(vendor.VsRsDevCnf())
        case State.IDLE:
            charger.feed(EnterBcd())
        case State.MATCHING:
            charger.until_choice()
            charger.choose()
        case State.WAIT_FOR_LINK:
            charger.from_modem(vendor.VsLinkStatusCnf(link_status=1))
    return charger.effects[already:]


def help_car(car: Stand) -> list[Any]:
    """Do what brings the car on."""
    machine = car.machine
    assert isinstance(machine, EvSlac)
    if machine.state is EvState.SOUNDING:
        car.wait(0.3)
    answer: Any = TriggerMatching()
    match machine.state:
        case EvState.ASKING:
            answer = Frame(EV, EVSE, CmSlacParmCnf(run_id=machine.run_id))
        case EvState.SOUNDING | EvState.WAIT_FOR_RESULTS:
            answer = Frame(EV, EVSE, CmAttenCharInd(source_address=EV, run_id=machine.run_id, num_sounds=10))
        case EvState.WAIT_FOR_MATCH:
            answer = Frame(EV, EVSE, CmSlacMatchCnf(run_id=machine.run_id))
        case EvState.JOINING:
            answer = Frame(EV, EVSE, CmSetKeyCnf())
        case EvState.WAIT_FOR_LINK:
            answer = Frame(EV, EVSE, vendor.VsLinkStatusCnf(link_status=1))
    return car.feed(answer)


@given(options, st.integers(0, 4), st.lists(st.tuples(pauses, charger_events), min_size=5, max_size=60))
@settings(max_examples=200, deadline=None)
def test_the_charger_survives_anything_and_then_matches(
    options: EvseOptions, head_start: int, events: list[tuple[float, Any]]
) -> None:
    keys = iter(bytes([n % 256]) * 16 for n in range(10_000))
    charger = Charger(options)
    charger.machine._make_nmk = lambda: next(keys)
    up = watch(charger.feed(LinkUp(EVSE)), False)
    for _ in range(head_start):
        up = watch(help_charger(charger), up)
    for pause, event in events:
        up = watch(charger.wait(pause), up)
        effects = help_charger(charger) if isinstance(event, RightStep) else charger.feed(event)
        up = watch(effects, up)
        assert len(charger.machine._sessions) <= MAXIMUM_SESSIONS
        assert (charger.state is State.MATCHED) == up
    up = watch(charger.feed(LinkDown()), up)
    assert not up
    charger.feed(LeaveBcd())
    charger.feed(LinkUp(EVSE))
    charger.from_modem(vendor.VsOpAttributesCnf())
    charger.from_modem(CmSetKeyCnf())
    charger.wait(0.2)
    charger.from_modem(vendor.VsRsDevCnf())
    charger.feed(EnterBcd())
    charger.until_choice()
    charger.choose()
    charger.from_modem(vendor.VsLinkStatusCnf(link_status=1))
    assert charger.state is State.MATCHED


@given(st.booleans(), st.integers(0, 6), st.lists(st.tuples(pauses, car_events), min_size=5, max_size=60))
@settings(max_examples=200, deadline=None)
def test_the_car_survives_anything(wait_for_link: bool, head_start: int, events: list[tuple[float, Any]]) -> None:
    car = Stand(EvSlac(EvOptions(wait_for_link=wait_for_link), make_nmk=lambda: b"own network key!"))
    up = watch(car.feed(LinkUp(EV)), False)
    for _ in range(head_start):
        up = watch(help_car(car), up)
    for pause, event in events:
        up = watch(car.wait(pause), up)
        up = watch(help_car(car) if isinstance(event, RightStep) else car.feed(event), up)
        assert (car.machine.state is EvState.MATCHED) == up
    effects = car.feed(LinkDown()) + car.feed(LinkUp(EV)) + car.feed(TriggerMatching())
    assert car.machine.state is EvState.ASKING
    assert [type(e) for e in effects if not isinstance(e, DlinkReady)] == [StateIs, StateIs, StateIs, Send]
