"""Profiles that OCPP 2.0.1 and 2.1 accept, and the reasonCode of those that they do not (K01 to K05)."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from chargebyte_fw.modules.ocpp.smart_charging.acceptance_v2 import accepted
from chargebyte_fw.modules.ocpp.smart_charging.profile import (
    Kind,
    LimitAtSoC,
    Mode,
    Period,
    Phases,
    Profile,
    Purpose,
)
from chargebyte_fw.modules.ocpp.smart_charging.rules import EvseState, SmartChargingRules
from chargebyte_fw.modules.ocpp.smart_charging.verdict import Reason, Rejected, Requested
from tests.ocpp.smart_charging.helpers import (
    ABSOLUTE,
    DAILY,
    DYNAMIC,
    NOW_S,
    RECURRING,
    RELATIVE,
    RULES_21,
    RULES_201,
    STATION_MAX,
    TX,
    TX_DEFAULT,
    A,
    W,
    changed,
    evse,
    installed,
    periods,
    profile,
)

RUNNING = {1: evse(), 2: EvseState()}
DC = {1: evse(phases=0)}
V2X = changed(RULES_21, modes=frozenset(Mode))


def judge(
    one: Profile,
    evse_id: int = 1,
    *,
    evses: dict[int, EvseState] | None = None,
    rules: SmartChargingRules = RULES_21,
    others: Any = (),
    last_update_s: int | None = None,
    **request: Any,
) -> Profile:
    asked = Requested(profile=one, evse_id=evse_id, now_s=NOW_S, **request)
    return accepted(asked, others, RUNNING if evses is None else evses, rules, last_update_s=last_update_s)


def rejected(one: Profile, evse_id: int = 1, **rest: Any) -> Reason:
    with pytest.raises(Rejected) as caught:
        judge(one, evse_id, **rest)
    assert caught.value.info
    return caught.value.reason


BOTH = pytest.mark.parametrize("rules", [RULES_201, RULES_21], ids=["2.0.1", "2.1"])


@BOTH
@pytest.mark.ocpp("K01.FR.03", "K01.FR.09", "K01.FR.16", "K01.FR.33")
def test_profile_of_a_transaction(rules: SmartChargingRules) -> None:
    assert judge(profile(TX, (0, 6.0)), rules=rules).transaction_id == "tx-1"
    assert rejected(profile(TX, (0, 6.0), transaction_id=None), rules=rules) is Reason.MISSING_PARAM
    assert rejected(profile(TX, (0, 6.0)), 0, rules=rules) is Reason.INVALID_VALUE
    assert rejected(profile(TX, (0, 6.0)), 2, rules=rules) is Reason.TX_NOT_FOUND
    assert rejected(profile(TX, (0, 6.0), transaction_id="other"), rules=rules) is Reason.TX_NOT_FOUND


@BOTH
@pytest.mark.ocpp("K01.FR.39")
def test_two_profiles_of_a_transaction_have_two_levels(rules: SmartChargingRules) -> None:
    there = installed(profile(TX, (0, 6.0), id=7, level=1), 1)
    assert rejected(profile(TX, (0, 6.0), level=1), others=[there], rules=rules) is Reason.INVALID_STACK_LEVEL
    assert judge(profile(TX, (0, 6.0), level=2), others=[there], rules=rules).stack_level == 2
    of_another = installed(profile(TX, (0, 6.0), id=7, level=1, transaction_id="gone"), 2)
    assert judge(profile(TX, (0, 6.0), level=1), others=[of_another], rules=rules).stack_level == 1


@pytest.mark.ocpp("K01.FR.28")
@pytest.mark.parametrize("evse_id", [3, 99, -1])
def test_evse_that_does_not_exist(evse_id: int) -> None:
    assert rejected(profile(TX_DEFAULT, (0, 6.0)), evse_id) is Reason.INVALID_VALUE


@BOTH
@pytest.mark.ocpp("K01.FR.26")
def test_unit_that_is_not_supported(rules: SmartChargingRules) -> None:
    only_A = changed(rules, units=frozenset({A}))
    assert rejected(profile(TX_DEFAULT, (0, 6.0), unit=W), rules=only_A) is Reason.UNSUPPORTED_UNIT


@BOTH
@pytest.mark.ocpp("K01.FR.31", "K01.FR.35")
@pytest.mark.parametrize(
    "steps", [(), ((1, 16.0),), ((0, 16.0), (0, 10.0)), ((0, 16.0), (60, 10.0), (30, 8.0)), ((0, math.nan),)]
)
def test_periods_are_in_order_and_begin_at_0(steps: tuple[Any, ...], rules: SmartChargingRules) -> None:
    assert rejected(profile(TX_DEFAULT, *steps), rules=rules) is Reason.INVALID_SCHEDULE


def test_profile_without_a_schedule() -> None:
    empty = msgspec.structs.replace(profile(TX_DEFAULT, (0, 6.0)), schedules=())
    assert rejected(empty) is Reason.INVALID_SCHEDULE


@BOTH
@pytest.mark.ocpp("K01.FR.40", "K01.FR.41")
def test_start_of_the_schedule(rules: SmartChargingRules) -> None:
    """Field case 57: Absolute and Recurring need it, Relative has none."""
    for kind in (ABSOLUTE, RECURRING):
        one = profile(TX_DEFAULT, (0, 6.0), kind=kind, start_s=None, recurrency=DAILY)
        assert rejected(one, rules=rules) is Reason.INVALID_SCHEDULE
    relative = profile(TX_DEFAULT, (0, 6.0), schedule={})
    assert rejected(msgspec.structs.replace(relative, kind=Kind.RELATIVE), rules=rules) is Reason.INVALID_SCHEDULE
    assert judge(profile(TX_DEFAULT, (0, 6.0), kind=RELATIVE), rules=rules).kind is RELATIVE


@BOTH
@pytest.mark.ocpp("K01.FR.38", "K04.FR.03")
def test_maximum_of_the_station(rules: SmartChargingRules) -> None:
    """Field case 58."""
    assert judge(profile(STATION_MAX, (0, 16.0)), 0, rules=rules).purpose is STATION_MAX
    assert rejected(profile(STATION_MAX, (0, 16.0)), 1, rules=rules) is Reason.INVALID_VALUE
    assert rejected(profile(STATION_MAX, (0, 16.0), kind=RELATIVE), 0, rules=rules) is Reason.INVALID_VALUE


@BOTH
@pytest.mark.ocpp("K01.FR.06")
@pytest.mark.parametrize(
    ("there", "here", "is_twice"),
    [
        ((None, None), (None, None), True),
        ((0, 100), (100, 200), True),
        ((0, 100), (101, 200), False),
        ((None, 100), (50, None), True),
        ((200, None), (None, 100), False),
    ],
)
def test_two_profiles_are_not_valid_at_the_same_time(
    there: Any, here: Any, is_twice: bool, rules: SmartChargingRules
) -> None:
    old = installed(profile(STATION_MAX, (0, 16.0), id=7, valid_from_s=there[0], valid_to_s=there[1]), 0)
    new = profile(STATION_MAX, (0, 10.0), valid_from_s=here[0], valid_to_s=here[1])
    if is_twice:
        assert rejected(new, 0, others=[old], rules=rules) is Reason.DUPLICATE_PROFILE
    else:
        assert judge(new, 0, others=[old], rules=rules).id == 1
    assert judge(msgspec.structs.replace(new, stack_level=1), 0, others=[old], rules=rules).stack_level == 1


@BOTH
@pytest.mark.ocpp("K01.FR.52", "K01.FR.53")
def test_defaults_are_for_all_evses_or_for_single_ones(rules: SmartChargingRules) -> None:
    of_all = installed(profile(TX_DEFAULT, (0, 6.0), id=7), 0)
    of_one = installed(profile(TX_DEFAULT, (0, 6.0), id=8), 1)
    one = profile(TX_DEFAULT, (0, 8.0))
    assert rejected(one, 1, others=[of_all], rules=rules) is Reason.DUPLICATE_PROFILE
    assert rejected(one, 0, others=[of_one], rules=rules) is Reason.DUPLICATE_PROFILE
    assert judge(one, 2, others=[of_one], rules=rules).id == 1
    assert judge(msgspec.structs.replace(one, stack_level=1), 1, others=[of_all], rules=rules).id == 1


@BOTH
@pytest.mark.ocpp("K01.FR.22", "K01.FR.05", "K02.FR.07")
def test_external_constraints_are_not_of_the_csms(rules: SmartChargingRules) -> None:
    one = profile(Purpose.EXTERNAL, (0, 6.0))
    assert rejected(one, rules=rules) is Reason.INVALID_VALUE
    assert judge(one, rules=rules, source="EMS").purpose is Purpose.EXTERNAL
    there = installed(one, 0, source="EMS")
    assert rejected(profile(TX_DEFAULT, (0, 6.0)), others=[there], rules=rules) is Reason.DUPLICATE_PROFILE


@pytest.mark.ocpp("K01.FR.81")
def test_ids_that_are_reserved() -> None:
    rules = changed(RULES_21, max_external_id=0)
    assert rejected(profile(TX_DEFAULT, (0, 6.0), id=0), rules=rules) is Reason.INVALID_PROFILE_ID
    assert rejected(profile(TX_DEFAULT, (0, 6.0), id=-5), rules=rules) is Reason.INVALID_PROFILE_ID
    assert judge(profile(TX_DEFAULT, (0, 6.0), id=1), rules=rules).id == 1
    assert judge(profile(TX_DEFAULT, (0, 6.0), id=-5)).id == -5
    assert judge(profile(Purpose.EXTERNAL, (0, 6.0), id=-5), rules=rules, source="EMS").id == -5


@BOTH
@pytest.mark.ocpp("K01.FR.19", "K01.FR.20", "K01.FR.48")
def test_phase_to_use(rules: SmartChargingRules) -> None:
    one = profile(TX_DEFAULT, *periods((0, 6.0, 1), phase_to_use=2))
    assert rejected(one, rules=rules) is Reason.INVALID_SCHEDULE
    switching = changed(rules, phase_switching=True)
    assert judge(one, rules=switching).schedules[0].periods[0].extras.phase_to_use == 2
    for bad in (periods((0, 6.0, 3), phase_to_use=2), periods((0, 6.0), phase_to_use=2),
                periods((0, 6.0, 1), phase_to_use=4)):  # fmt: skip
        assert rejected(profile(TX_DEFAULT, *bad), rules=switching) is Reason.INVALID_SCHEDULE


@pytest.mark.ocpp("K01.FR.44")
def test_phases_on_dc() -> None:
    for bad in (periods((0, 6.0, 3)), periods((0, 6.0), phase_to_use=1)):
        one = profile(TX_DEFAULT, *bad)
        assert rejected(one, evses=DC, rules=RULES_201) is Reason.INVALID_SCHEDULE
        assert rejected(one, evses=DC) is Reason.NO_PHASE_FOR_DC
        assert rejected(one, 0, evses=DC) is Reason.NO_PHASE_FOR_DC
    controlled = {1: evse(phases=0, phases_of_DC=True)}
    assert judge(profile(TX_DEFAULT, (0, 6.0, 3)), evses=controlled).schedules[0].periods[0].phases == 3
    assert judge(profile(TX_DEFAULT, (0, 6.0)), evses=DC).schedules[0].periods[0].phases is None


@BOTH
@pytest.mark.ocpp("K01.FR.49")
def test_phases_of_the_supply(rules: SmartChargingRules) -> None:
    single = {1: evse(phases=1)}
    assert rejected(profile(TX_DEFAULT, (0, 6.0, 3)), evses=single, rules=rules) is Reason.INVALID_SCHEDULE
    assert rejected(profile(TX_DEFAULT, (0, 6.0, 0)), rules=rules) is Reason.INVALID_SCHEDULE
    assert judge(profile(TX_DEFAULT, (0, 6.0)), evses=single, rules=rules).schedules[0].periods[0].phases == 1
    assert judge(profile(TX_DEFAULT, (0, 6.0)), 0, rules=rules).schedules[0].periods[0].phases == 3


def test_values_of_phases_that_there_are_not() -> None:
    two = profile(TX, *periods((0, 6.0, 2), limit_L2=6.0, limit_L3=6.0))
    assert rejected(two) is Reason.PHASE_CONFLICT
    one = profile(TX, *periods((0, 6.0, 1), limit_L2=6.0))
    assert rejected(one) is Reason.PHASE_CONFLICT


@pytest.mark.ocpp("V2X.10")
@pytest.mark.parametrize("purpose", [TX_DEFAULT, STATION_MAX])
def test_only_the_profile_of_a_transaction_has_values_of_single_phases(purpose: Purpose) -> None:
    """K01.FR.144 (errata 2025-06): a car has to name its needs first."""
    evse_id = 0 if purpose is STATION_MAX else 1
    for name in ("limit_L2", "limit_L3"):
        assert rejected(profile(purpose, *periods((0, 6.0, 3), **{name: 6.0})), evse_id) is Reason.PHASE_CONFLICT
    back = periods((0, 6.0, 3), mode=Mode.CENTRAL_SETPOINT, setpoint=Phases(5.0, 4.0))
    if purpose is TX_DEFAULT:
        assert rejected(profile(purpose, *back), rules=V2X) is Reason.PHASE_CONFLICT
    assert judge(profile(TX, *periods((0, 6.0, 3), limit_L2=5.0)))
    external = profile(Purpose.EXTERNAL, *periods((0, 6.0, 3), limit_L2=5.0))
    assert judge(external, source="EMS"), "another system measures the phases itself"


@pytest.mark.ocpp("V2X.06", "V2X.07")
def test_value_of_another_phase_needs_that_of_l1() -> None:
    """K01.FR.146 (errata 2025-06): of a limit, a limit of discharge and a set-point."""
    mode: dict[str, Any] = {"mode": Mode.CENTRAL_SETPOINT}
    for values in (
        {**mode, "setpoint": Phases(None, 5.0)},
        {**mode, "setpoint": Phases(5.0), "limit_L2": 6.0},
        {**mode, "setpoint": Phases(5.0), "discharge": Phases(None, None, -6.0)},
        {**mode, "setpoint": Phases(5.0), "reactive": Phases(None, 1.0)},
    ):
        one = profile(TX, *periods((0, None, 3), **values), unit=W)
        assert rejected(one, rules=V2X) is Reason.PHASE_CONFLICT, values


@pytest.mark.ocpp("K05.FR.02")
def test_profile_of_a_remote_start() -> None:
    starting: dict[str, Any] = {"in_remote_start": True}
    assert judge(profile(TX, (0, 6.0)), 2, **starting).transaction_id is None
    assert rejected(profile(TX_DEFAULT, (0, 6.0)), **starting) is Reason.INVALID_VALUE


@pytest.mark.ocpp("K01.FR.56")
def test_updates_that_come_too_often() -> None:
    rules = changed(RULES_21, update_rate_limit_s=10)
    assert rejected(profile(TX_DEFAULT, (0, 6.0)), rules=rules, last_update_s=NOW_S - 9) is Reason.RATE_LIMIT
    assert judge(profile(TX_DEFAULT, (0, 6.0)), rules=rules, last_update_s=NOW_S - 10).id == 1
    assert judge(profile(TX_DEFAULT, (0, 6.0)), rules=rules).id == 1
    assert judge(profile(TX_DEFAULT, (0, 6.0)), last_update_s=NOW_S).id == 1


@pytest.mark.ocpp("K01.FR.120")
@pytest.mark.parametrize("purpose", [Purpose.PRIORITY, Purpose.LOCAL_GENERATION])
def test_additional_purposes(purpose: Purpose) -> None:
    one = profile(purpose, (0, 6.0))
    assert rejected(one) is Reason.UNSUPPORTED_PURPOSE
    more = frozenset({purpose})
    assert judge(one, rules=changed(RULES_21, additional_purposes=more)).purpose is purpose
    assert rejected(one, rules=changed(RULES_201, additional_purposes=more)) is Reason.UNSUPPORTED_PURPOSE


@pytest.mark.ocpp("K01.FR.70")
def test_priority_charging_has_no_duration() -> None:
    rules = changed(RULES_21, additional_purposes=frozenset({Purpose.PRIORITY}))
    one = profile(Purpose.PRIORITY, (0, 6.0), duration_s=60)
    assert rejected(one, rules=rules) is Reason.INVALID_SCHEDULE


@pytest.mark.ocpp("K01.FR.121", "K01.FR.122", "K28.FR.01", "K28.FR.03", "K28.FR.04", "K29.FR.01")
def test_dynamic_profiles() -> None:
    one = profile(TX, (0, 6.0), kind=DYNAMIC, update_interval_s=60)
    assert rejected(one) is Reason.UNSUPPORTED_KIND
    rules = changed(RULES_21, dynamic=True)
    assert judge(one, rules=rules).kind is DYNAMIC
    assert rejected(one, rules=changed(RULES_201, dynamic=True)) is Reason.UNSUPPORTED_KIND
    two = profile(TX, (0, 6.0), (1, 7.0), kind=DYNAMIC)
    assert rejected(two, rules=rules) is Reason.INVALID_SCHEDULE
    more = msgspec.structs.replace(one, schedules=one.schedules * 2)
    assert rejected(more, rules=rules) is Reason.INVALID_SCHEDULE
    for stray in ({"update_interval_s": 60}, {"updated_s": NOW_S}):
        assert rejected(profile(TX_DEFAULT, (0, 6.0), **stray), rules=rules) is Reason.INVALID_PROFILE  # type: ignore[arg-type]


def test_recurring_needs_its_period() -> None:
    assert rejected(profile(TX_DEFAULT, (0, 6.0), kind=RECURRING)) is Reason.INVALID_PROFILE


@pytest.mark.ocpp("K01.FR.123", "K01.FR.124", "K01.FR.125", "K01.FR.95")
@pytest.mark.parametrize(
    ("schedule", "feature"),
    [
        ({"local_time": True}, "local_time"),
        ({"randomized_delay_s": 60}, "randomized_delay"),
        ({"limit_at_soc": LimitAtSoC(80, 6.0)}, "limit_at_soc"),
    ],
)
def test_features_of_schedules(schedule: Any, feature: str) -> None:
    one = profile(TX_DEFAULT, (0, 6.0), schedule=schedule)
    assert rejected(one) is Reason.INVALID_SCHEDULE
    rules = changed(RULES_21, **{feature: True})
    assert judge(one, rules=rules).id == 1
    if feature == "randomized_delay":
        of_station = profile(STATION_MAX, (0, 6.0), schedule=schedule)
        assert rejected(of_station, 0, rules=rules) is Reason.INVALID_SCHEDULE


@pytest.mark.ocpp("K01.FR.126")
def test_sleep_of_the_evse() -> None:
    one = profile(TX_DEFAULT, *periods((0, 6.0), sleep=True))
    assert rejected(one) is Reason.INVALID_SCHEDULE
    assert judge(one, rules=changed(RULES_21, evse_sleep=True)).id == 1


def moded(mode: Mode, limit: float | None = None, purpose: Purpose = TX, **extras: Any) -> Profile:
    unit = W if mode is Mode.LOCAL_FREQUENCY else A
    return profile(purpose, *periods((0, limit), mode=mode, **extras), unit=unit)


@pytest.mark.ocpp("Q09.FR.01")
def test_operation_modes_that_are_supported() -> None:
    one = moded(Mode.CENTRAL_SETPOINT, setpoint=Phases(10.0))
    assert rejected(one) is Reason.INVALID_MODE
    assert judge(one, rules=V2X).id == 1
    assert rejected(moded(Mode.LOCAL_LOAD_BALANCING)) is Reason.UNSUPPORTED_PARAM
    assert judge(moded(Mode.LOCAL_LOAD_BALANCING), rules=V2X).id == 1
    few = changed(RULES_21, modes=frozenset({Mode.IDLE}))
    assert rejected(one, rules=few) is Reason.INVALID_MODE
    assert judge(moded(Mode.IDLE), rules=few).id == 1


@pytest.mark.ocpp("K01.FR.71")
@pytest.mark.parametrize(
    ("purpose", "mode"),
    [
        (Purpose.STATION_MAX, Mode.CENTRAL_SETPOINT),
        (Purpose.PRIORITY, Mode.CENTRAL_SETPOINT),
        (Purpose.EXTERNAL, Mode.CENTRAL_SETPOINT),
        (Purpose.LOCAL_GENERATION, Mode.EXTERNAL_SETPOINT),
    ],
)
def test_operation_modes_of_purposes(purpose: Purpose, mode: Mode) -> None:
    rules = changed(V2X, additional_purposes=frozenset({Purpose.PRIORITY, Purpose.LOCAL_GENERATION}))
    one = moded(mode, purpose=purpose, setpoint=Phases(10.0))
    assert rejected(one, 0, rules=rules, source="EMS") is Reason.INVALID_SCHEDULE
    if purpose in (Purpose.EXTERNAL, Purpose.LOCAL_GENERATION):
        limits = moded(Mode.EXTERNAL_LIMITS, 10.0, purpose=purpose, discharge=Phases(-4.0))
        assert judge(limits, rules=rules, source="EMS").purpose is purpose


@pytest.mark.ocpp("Q08.FR.04", "Q08.FR.01", "Q10.FR.01", "Q10.FR.02", "V2X.05")
@pytest.mark.parametrize(
    "one",
    [
        moded(Mode.CHARGING_ONLY),
        moded(Mode.CHARGING_ONLY, 10.0, setpoint=Phases(5.0)),
        moded(Mode.CHARGING_ONLY, 10.0, discharge=Phases(-5.0)),
        moded(Mode.CENTRAL_SETPOINT, 10.0),
        moded(Mode.CENTRAL_FREQUENCY, setpoint=Phases(5.0), reactive=Phases(1.0)),
        moded(Mode.EXTERNAL_SETPOINT, setpoint=Phases(5.0)),
        moded(Mode.EXTERNAL_LIMITS, 10.0),
        moded(Mode.LOCAL_LOAD_BALANCING, 10.0),
        moded(Mode.IDLE, 0.0),
        moded(Mode.IDLE, setpoint=Phases(5.0)),
        moded(Mode.IDLE, discharge=Phases(-5.0)),
        moded(Mode.LOCAL_FREQUENCY, 10.0, baseline_W=0.0, frequency_curve=((49.8, -50.0), (50.2, 50.0))),
        moded(Mode.CENTRAL_SETPOINT, setpoint=Phases(5.0), discharge=Phases(3.0)),
        moded(Mode.CENTRAL_SETPOINT, setpoint=Phases(5.0, -5.0, 5.0)),
        moded(Mode.CENTRAL_SETPOINT, 4.0, setpoint=Phases(5.0)),
        moded(Mode.CENTRAL_SETPOINT, setpoint=Phases(-5.0), discharge=Phases(-4.0)),
        moded(Mode.CENTRAL_SETPOINT, setpoint=Phases(math.nan)),
        moded(Mode.CHARGING_ONLY, -6.0),
    ],
)
def test_values_that_do_not_fit_the_mode(one: Profile) -> None:
    assert rejected(one, rules=V2X) is Reason.INVALID_SCHEDULE


@pytest.mark.parametrize(
    "one",
    [
        moded(Mode.CENTRAL_SETPOINT, 10.0, setpoint=Phases(5.0), discharge=Phases(-4.0), reactive=Phases(2.0)),
        moded(Mode.CENTRAL_FREQUENCY, setpoint=Phases(-5.0), discharge=Phases(-5.0)),
        moded(Mode.EXTERNAL_SETPOINT, 10.0, discharge=Phases(-4.0)),
        moded(Mode.EXTERNAL_LIMITS),
        moded(Mode.CENTRAL_SETPOINT, 0.0, setpoint=Phases(0.0, 0.0, 0.0)),
    ],
)
def test_values_that_fit_the_mode(one: Profile) -> None:
    assert judge(one, rules=V2X) == msgspec.structs.replace(one, schedules=judge(one, rules=V2X).schedules)


@pytest.mark.ocpp("Q08.FR.02", "Q08.FR.05", "Q08.FR.03")
def test_local_frequency() -> None:
    curve = ((49.8, -5000.0), (50.2, 5000.0))
    good = moded(Mode.LOCAL_FREQUENCY, baseline_W=0.0, frequency_curve=curve)
    assert judge(good, rules=V2X).id == 1
    for bad in (
        moded(Mode.LOCAL_FREQUENCY, frequency_curve=curve),
        moded(Mode.LOCAL_FREQUENCY, baseline_W=0.0),
        moded(Mode.LOCAL_FREQUENCY, baseline_W=0.0, frequency_curve=curve[:1]),
    ):
        assert rejected(bad, rules=V2X) is Reason.NO_FREQUENCY_CURVE
    in_A = profile(TX, *periods((0, None), mode=Mode.LOCAL_FREQUENCY, baseline_W=0.0, frequency_curve=curve))
    assert rejected(in_A, rules=V2X) is Reason.UNSUPPORTED_UNIT
    nan = moded(Mode.LOCAL_FREQUENCY, baseline_W=0.0, frequency_curve=((49.8, math.nan), *curve))
    assert rejected(nan, rules=V2X) is Reason.INVALID_SCHEDULE


def test_memory_is_bounded() -> None:
    rules = changed(RULES_21, max_installed_periods=3)
    there = installed(profile(TX_DEFAULT, (0, 1.0), (1, 2.0), id=7, level=9), 1)
    assert judge(profile(TX_DEFAULT, (0, 6.0)), others=[there], rules=rules).id == 1
    two = profile(TX_DEFAULT, (0, 6.0), (1, 7.0))
    assert rejected(two, others=[there], rules=rules) is Reason.OUT_OF_MEMORY


def test_other_values_that_are_none() -> None:
    assert rejected(profile(TX_DEFAULT, (0, 6.0), duration_s=-1)) is Reason.INVALID_SCHEDULE
    assert rejected(profile(TX_DEFAULT, (0, 6.0), schedule={"min_rate": math.inf})) is Reason.INVALID_SCHEDULE
    assert rejected(profile(TX_DEFAULT, Period(0, None))) is Reason.INVALID_SCHEDULE
