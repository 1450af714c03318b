"""AC_DER_IEC: a car under the grid's rules, and the directives that make them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chargebyte_fw.contracts.types import grid_support, iso15118, units
from chargebyte_fw.contracts.types.grid_support import DERUnit, Directive, DirectiveType
from chargebyte_fw.modules.v2g import handshake
from chargebyte_fw.modules.v2g.grid_support import GridSupportImpl
from chargebyte_fw.modules.v2g.messages import iso20_ac_der_iec as der
from chargebyte_fw.modules.v2g.messages import iso20_common as m
from chargebyte_fw.modules.v2g.rational import number, rational
from chargebyte_fw.modules.v2g.secc.facts import ChargerFacts
from chargebyte_fw.modules.v2g.secc.iso20.grid_codes import Function
from chargebyte_fw.modules.v2g.secc.iso20.sequence import State as S
from tests.v2g.talk20 import (
    AC_DISCHARGE,
    AC_LIMITS,
    AC_PATH,
    Course,
    Talk20,
    ac20_facts,
    discovery,
    energies,
    numbers,
    of,
    power,
    processing,
    schedule,
    stop,
    talk20,
)


def directive(kind: DirectiveType, **content: Any) -> Directive:
    values = {"id": kind, "priority": 1, "is_default": False, "source": "OCPP", "received_at": "2026-01-01T00:00:00Z"}
    return Directive(**{**values, **content}, directive_type=kind)


def curve(*points: tuple[float, float], unit: DERUnit = DERUnit.PctMaxVar, **more: Any) -> grid_support.DERCurve:
    data = [grid_support.DERCurvePoint(x=x, y=y) for x, y in points]
    return grid_support.DERCurve(curve_data=data, y_unit=unit, **more)


VOLT_VAR = directive(DirectiveType.VoltVar, curve=curve((92, 44), (108, -44), response_time=5.0))


def facts(*directives: Directive, **changes: Any) -> ChargerFacts:
    values = {"grid_support": True, "directives": list(directives), **changes}
    made = ac20_facts("AC_three_phase_core", "AC_DER_IEC", **values)
    assert made.iso20.ac_parameters is not None
    made.iso20.ac_parameters.evse_max_reactive_power = 5_000.0
    return made


@pytest.mark.ocpp("R02.FR.01", "R03.FR.01")
def test_what_the_inverter_of_the_car_can_do_is_among_its_needs() -> None:
    it = talk(S.CHARGE_PARAMETERS, facts(VOLT_VAR))
    request = der_parameters()
    mode = request.AC_CPDReqEnergyTransferMode
    mode.EVSessionTotalDischargeEnergyAvailable = rational(12_000)
    names = [f"EV{least}imum{way}ReactivePower" for least in ("Max", "Min") for way in ("Charge", "Discharge")]
    values = {f"{name}{phase}": 100.0 * n for n, name in enumerate(names, 1) for phase in ("", "_L2", "_L3")}
    mode.EVReactivePowerLimits = der.EVReactivePowerLimitsType(**numbers(**values))
    assert it.ask(request).ResponseCode == "OK"
    it.ask(schedule())
    found = it.value("charging_needs").der_charging_parameters
    assert found.ev_supported_dercontrol == ["VoltVar", "FixedVar", "FixedPFInject", "LimitMaxDischarge"]
    assert (found.ev_session_total_discharge_energy_available, found.nominal_voltage) == (12_000, 230)
    for phase in ("", "_l2", "_l3"):
        assert [
            getattr(found, f"{least}_{way}_reactive_power{phase}")
            for least in ("max", "min")
            for way in ("charge", "discharge")
        ] == [100, 200, 300, 400]


def der_parameters(state: str = "Finished", **changes: float) -> Any:
    mode = der.DER_AC_CPDReqEnergyTransferModeType(
        **numbers(**{**AC_LIMITS, **AC_DISCHARGE, **changes}),
        EVProcessing=processing(state),
        EVReactivePowerLimits=der.EVReactivePowerLimitsType(
            **numbers(EVMaximumChargeReactivePower=4_000, EVMaximumDischargeReactivePower=3_000)
        ),
    )
    return of(der.AC_ChargeParameterDiscoveryReq, AC_CPDReqEnergyTransferMode=mode)


def der_loop(*, dynamic: bool = True, event: int = 0) -> Any:
    values = {**AC_LIMITS, **AC_DISCHARGE, "EVPresentActivePower": -3_000, "EVPresentReactivePower": 100}
    kind = der.DER_Dynamic_AC_CLReqControlModeType if dynamic else der.DER_Scheduled_AC_CLReqControlModeType
    mode = kind(**(energies() if dynamic else {}), **numbers(**values), GridEventCondition=event)
    return of(der.AC_ChargeLoopReq, MeterInfoRequested=False, CLReqControlMode=mode)


PATH = tuple((state, (lambda c: der_parameters()) if state is S.SCHEDULE else make) for state, make in AC_PATH)


def talk(state: S, known: ChargerFacts | None = None, course: Course | None = None) -> Talk20:
    app = handshake.ISO15118D20_AC_DER_IEC
    return talk20(state, known or facts(), course=course or Course(10), path=PATH, app=app)


@pytest.mark.parametrize("dynamic", [True, False])
def test_a_session_from_the_handshake_to_the_end(dynamic: bool) -> None:
    it = talk(S.CHARGING, course=Course(10, dynamic=dynamic, set_id=0 if dynamic else 1))
    it.change(ac_target=iso15118.AcTargetValues(target_active_power=units.Power(total=-4_000.0)))
    mode = it.ask(der_loop(dynamic=dynamic)).CLResControlMode
    assert number(mode.EVSETargetActivePower) == -4_000
    assert (number(mode.EVSEMaximumChargePower), number(mode.EVSEMaximumDischargePower)) == (11_040, 5_520)
    assert (mode.DSOQSetpoint, mode.DSOCosPhiSetpoint, mode.DSOMaximumDischargePower) == (None, None, None)
    it.ask(power("Stop"))
    assert it.ask(stop()).ResponseCode == "OK"
    assert set(it.types) == {0x8002, 0x8010}
    assert it.value("requested_energy_transfer_mode") == "AC_DER_IEC"
    needs = it.value("charging_needs").der_charging_parameters
    assert (needs.max_charge_reactive_power, needs.max_discharge_reactive_power) == (4_000, 3_000)
    assert (needs.min_charge_reactive_power, needs.max_charge_reactive_power_l2) == (None, None)
    assert needs.ev_supported_dercontrol == ["FixedVar", "FixedPFInject", "LimitMaxDischarge"]
    assert needs.nominal_voltage == 230
    assert not it.charger.broken()


@pytest.mark.parametrize(
    ("directives", "bits"),
    [
        ((), Function.DSOQSetpoint | Function.DSOCosPhiSetpoint),
        ((VOLT_VAR,), Function.DSOQSetpoint | Function.DSOCosPhiSetpoint | Function.VoltVar),
    ],
)
def test_the_functions_are_a_parameter_of_the_service(directives: tuple[Directive, ...], bits: int) -> None:
    it = talk(S.SERVICE_DETAIL, facts(*directives))
    response = it.ask(of(m.ServiceDetailReq, ServiceID=10))
    parameters = {one.Name: one.intValue for one in response.ServiceParameterList.ParameterSet[0].Parameter}
    assert parameters["DERControlFunctions"] == bits
    assert list(parameters)[-1] == "DERControlFunctions" and "BPTChannel" not in parameters


def test_the_service_needs_a_module_with_grid_support_and_power_from_the_car() -> None:
    for known in (facts(grid_support=False), facts(ac_maximum=None)):
        it = talk20(S.SERVICE_DISCOVERY, known, path=PATH, app=handshake.ISO15118D20_AC)
        assert [one.ServiceID for one in it.ask(discovery()).EnergyTransferServiceList.Service] == [1]


def test_charge_parameters_have_the_curve_that_was_negotiated() -> None:
    it = talk(S.CHARGE_PARAMETERS, facts(VOLT_VAR))
    mode = it.ask(der_parameters()).AC_CPDResEnergyTransferMode
    assert (mode.EVOperatingMode, mode.GridConnectionMode) == ("GridFollowing", "GridConnected")
    assert number(mode.EVSENominalDischargePower) == 5_520
    written = mode.DERControl.ReactivePowerSupport.VoltVar
    points = [(number(one.xValue), number(one.yValue.SetpointValue)) for one in written.CurveDataPoints.CurveDataPoint]
    assert points == [(211.6, 2_200.0), (248.4, -2_200.0)]
    assert (written.xUnit, written.yUnit) == ("V", "var")
    assert number(written.StepResponseTimeConstantReactivePower) == 5
    capability = it.value("capability").capability
    assert (capability.nameplate.max_discharge_w_W, capability.ac.phase_count) == (5_520, 3)


def test_a_curve_that_came_after_the_negotiation_waits_for_the_next_session() -> None:
    it = talk(S.CHARGE_PARAMETERS)
    it.change(directives=[VOLT_VAR])
    assert it.ask(der_parameters()).AC_CPDResEnergyTransferMode.DERControl.ReactivePowerSupport is None


def test_a_power_factor_has_its_excitation() -> None:
    watt_pf = directive(DirectiveType.WattPF, curve=curve((0, 1), (100, -0.95), unit=DERUnit.Not_Applicable))
    it = talk(S.CHARGE_PARAMETERS, facts(watt_pf))
    support = it.ask(der_parameters()).AC_CPDResEnergyTransferMode.DERControl.ReactivePowerSupport
    (first, last) = support.WattCosPhi.CurveDataPoints.CurveDataPoint
    assert (first.yValue.Excitation, last.yValue.Excitation) == ("OverExcited", "UnderExcited")
    assert (number(last.xValue), number(last.yValue.SetpointValue)) == (5_520, 0.95)


def test_the_first_priority_wins() -> None:
    watt_var = directive(DirectiveType.WattVar, priority=0, curve=curve((0, 0), (100, 10), unit=DERUnit.PctMaxW))
    it = talk(S.CHARGE_PARAMETERS, facts(VOLT_VAR, watt_var))
    support = it.ask(der_parameters()).AC_CPDResEnergyTransferMode.DERControl.ReactivePowerSupport
    assert support.VoltVar is None
    assert number(support.WattVar.CurveDataPoints.CurveDataPoint[1].yValue.SetpointValue) == 552


def test_set_points_hold_at_once() -> None:
    it = talk(S.CHARGING)
    it.change(
        directives=[
            directive(
                DirectiveType.FixedVar, fixed_var=grid_support.FixedVarParams(setpoint=-10, unit=DERUnit.PctMaxVar)
            ),
            directive(
                DirectiveType.FixedPFInject, fixed_pf=grid_support.FixedPFParams(displacement=0.95, excitation=False)
            ),
            directive(
                DirectiveType.LimitMaxDischarge,
                limit_max_discharge=grid_support.LimitMaxDischargeParams(pct_max_discharge_power=50),
            ),
        ]
    )
    mode = it.ask(der_loop()).CLResControlMode
    assert number(mode.DSOQSetpoint.DSOQSetpointValue) == -500
    assert number(mode.DSOCosPhiSetpoint.DSOCosPhiSetpointValue) == 0.95
    for point in (mode.DSOQSetpoint, mode.DSOCosPhiSetpoint):
        assert point.PT1ResponseReactivePower is False
        assert number(point.StepResponseTimeConstantReactivePower) == 0
    assert mode.DSOCosPhiSetpoint.Excitation == "UnderExcited"
    assert number(mode.DSOMaximumDischargePower) == 2_760


def test_a_reactive_target_is_a_set_point() -> None:
    it = talk(S.CHARGING)
    reactive = units.ReactivePower(total=300.0)
    target = iso15118.AcTargetValues(target_active_power=units.Power(total=0.0), target_reactive_power=reactive)
    it.change(ac_target=target)
    mode = it.ask(der_loop()).CLResControlMode
    assert number(mode.DSOQSetpoint.DSOQSetpointValue) == 300


def test_set_points_of_functions_that_were_not_negotiated_are_absent() -> None:
    it = talk(S.CHARGING)
    it.session.energy.negotiated = 0
    fixed = grid_support.FixedVarParams(setpoint=-10, unit=DERUnit.PctMaxVar)
    it.change(directives=[directive(DirectiveType.FixedVar, fixed_var=fixed)])
    assert it.ask(der_loop()).CLResControlMode.DSOQSetpoint is None


def test_a_car_that_works_on_the_rules_asks_again() -> None:
    it = talk(S.CHARGE_PARAMETERS)
    assert it.ask(der_parameters("Ongoing")).ResponseCode == "OK"
    assert it.session.state is S.CHARGE_PARAMETERS
    assert it.ask(der_parameters()).ResponseCode == "OK"
    assert it.ask(schedule()).ResponseCode == "OK"


def test_plain_parameters_are_refused_with_the_messages_of_the_service() -> None:
    it = talk(S.CHARGE_PARAMETERS)
    plain = vars(der)["AC_CPDReqEnergyTransferModeType"](**numbers(**AC_LIMITS))
    response = it.ask(of(der.AC_ChargeParameterDiscoveryReq, AC_CPDReqEnergyTransferMode=plain))
    assert isinstance(response, der.AC_ChargeParameterDiscoveryRes)
    assert response.ResponseCode == "FAILED_WrongChargeParameter"


def test_a_grid_event_of_the_car_is_an_alarm_until_it_is_over() -> None:
    it = talk(S.CHARGING)
    for event in (0, 3, 3, 0):
        it.ask(der_loop(event=event))
    alarms = [value for name, value in it.charger.published("alarm")]
    assert [(one.fault, one.alarm_ended) for one in alarms] == [("LocalEmergency", False), ("LocalEmergency", True)]
    it.ask(der_loop(event=1))
    it.end()
    assert it.value("alarm").alarm_ended, "with the car its alarm is over"


class Owner:
    """Stands in for module and engine."""

    def __init__(self) -> None:
        self.engine = self
        self.facts = ChargerFacts()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ([VOLT_VAR], ""),
        ([], ""),
        ([directive(DirectiveType.ZeroCurrent)], "ZeroCurrent: ZeroCurrent is not supported"),
        ([directive(DirectiveType.VoltVar)], "VoltVar: a curve of VoltVar has 0 points where 2 to 10 are possible"),
        ([directive(DirectiveType.FixedVar)], "FixedVar: FixedVar has no content"),
        ([directive(DirectiveType.LimitMaxDischarge)], "LimitMaxDischarge: LimitMaxDischarge has no content"),
    ],
)
def test_directives_are_taken_as_a_whole_or_refused_with_the_reason(given: list[Directive], reason: str) -> None:
    owner, grid = Owner(), GridSupportImpl.__new__(GridSupportImpl)
    grid.module = owner  # type: ignore[assignment]
    owner.facts.iso20.directives = [VOLT_VAR]
    answer = asyncio.run(grid.set_active_directives(grid_support.ActiveDirectiveSet(evse_id=2, directives=given)))
    assert (answer.accepted, answer.reason or "") == (not reason, reason)
    assert owner.facts.iso20.directives == ([VOLT_VAR] if reason else given)
    assert owner.facts.iso20.grid_evse_id == (1 if reason else 2)


def test_a_request_that_cannot_be_read_is_refused_with_the_messages_of_the_service() -> None:
    it = talk(S.CHARGING)
    frame = it.frame(der_loop())
    effects = it.raw(frame[:4] + (len(frame) - 11).to_bytes(4, "big") + frame[8:-3])
    response = it.answer_in(effects)
    assert isinstance(response, der.AC_ChargeLoopRes) and response.ResponseCode == "FAILED"
    assert "ac_open_contactor" in it.charger.names()
