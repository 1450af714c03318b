"""Ears: what every neighbour says becomes a fact for the machines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.types import board_support_common as board
from chargebyte_fw.contracts.types import iso15118 as iso
from chargebyte_fw.contracts.types.evse_board_support import Telemetry
from chargebyte_fw.contracts.types.evse_manager import (
    HlcSessionFailedEvent,
    HlcSessionFailedReasonEnum,
    StopTransactionRequest,
)
from chargebyte_fw.contracts.types.power_supply_DC import VoltageCurrent
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.contract import Contract
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.evse.adapters.ev_info import manufacturer_from_mac
from chargebyte_fw.modules.evse.adapters.hlc import ev_limits_facts, is_ac, is_bidirectional
from chargebyte_fw.modules.evse.config import SaeMode
from chargebyte_fw.modules.evse.machine.events import (
    CableCheckStart,
    Contactor,
    ContractWanted,
    Cp,
    CpReported,
    CurrentDemand,
    DcOpenContactor,
    DynamicLimits,
    EimWanted,
    EvccId,
    EvIdentified,
    EvMaximum,
    EvTargets,
    FaultCleared,
    FaultRaised,
    HlcAllowsClose,
    InsulationMeasured,
    LinkError,
    LinkPause,
    LinkReady,
    LinkTerminate,
    MeterRead,
    MonitorMeasured,
    PreChargeStart,
    SaeBidi,
    SelfTested,
    ServiceSelected,
    SlacErrorRoutine,
    SlacStateChanged,
    SupplyMeasured,
    SupplyMode,
    V2gSetupFinished,
)

if TYPE_CHECKING:
    from chargebyte_fw.modules.evse.evse_manager import EvseManager

AMPACITY_A = {
    board.ProximityPilotAmpacity.None_: 0.0,
    board.ProximityPilotAmpacity.A_13: 13.0,
    board.ProximityPilotAmpacity.A_20: 20.0,
    board.ProximityPilotAmpacity.A_32: 32.0,
    board.ProximityPilotAmpacity.A_63_3ph_70_1ph: 63.0,
}
SINGLE_PHASE_A = 70.0


def _or(value: float | None, known: float | None) -> float | None:
    return known if value is None else value


class Inputs:
    """Subscribes to everybody who is connected."""

    def __init__(self, module: EvseManager) -> None:
        self._m = module
        self._feed = module.pump.feed
        self._info = module.ev_info
        self._present: tuple[float, float] | None = None

    def listen(self) -> None:
        """Subscribe; kept facts come at once, past events do not."""
        m = self._m
        m.bsp.event.subscribe(self._board_event)
        m.bsp.capabilities.subscribe(m.energy_adapter.hardware)
        m.bsp.ac_pp_ampacity.subscribe(self._ampacity)
        m.bsp.telemetry.subscribe(self._telemetry)
        m.bsp.request_stop_transaction.subscribe(self._stop_button, replay=False)
        if m.powermeter_car_side is not None:
            m.powermeter_car_side.powermeter.subscribe(self._car_meter)
        if m.powermeter_grid_side is not None:
            m.powermeter_grid_side.powermeter.subscribe(self._grid_meter)
        if m.billing_meter is not None:
            m.billing_meter.public_key_ocmf.subscribe(m.evse.powermeter_public_key_ocmf.publish)
        if m.powersupply_DC is not None and m.config.dc:
            m.powersupply_DC.capabilities.subscribe(m.energy_adapter.supply_told)
            m.powersupply_DC.mode.subscribe(lambda mode: self._feed(SupplyMode(mode)))
            m.powersupply_DC.voltage_current.subscribe(self._supply)
        if m.imd is not None:
            m.imd.isolation_measurement.subscribe(lambda sample: self._feed(InsulationMeasured(sample)), replay=False)
            m.imd.self_test_result.subscribe(self._self_tested, replay=False)
        if m.over_voltage_monitor is not None:
            m.over_voltage_monitor.voltage_measurement_V.subscribe(lambda volt: self._feed(MonitorMeasured(volt)))
        if m.slac is not None and m.hlc_adapter.used:
            m.slac.state.subscribe(self._slac_state)
            m.slac.dlink_ready.subscribe(self._link_ready)
            m.slac.request_error_routine.subscribe(lambda _: self._feed(SlacErrorRoutine()), replay=False)
            m.slac.ev_mac_address.subscribe(self._slac_mac, replay=False)
        if m.hlc is not None and m.hlc_adapter.used:
            self._hlc(m.hlc)
        self._faults()

    def _slac_state(self, state: SlacState) -> None:
        self._m.logbook.line("EVSE", f"SLAC {state.value}", iso15118=True)
        self._feed(SlacStateChanged(state))

    def _self_tested(self, passed: bool) -> None:
        self._m.logbook.line("EVSE", f"Isolation monitor self test result: {str(passed).lower()}")
        self._feed(SelfTested(passed))

    def _link_ready(self, up: bool) -> None:
        self._m.logbook.line("EVSE", f"D-LINK_READY ({str(up).lower()})", iso15118=True)
        self._feed(LinkReady(up))

    # The board.

    def _board_event(self, value: board.BspEvent) -> None:
        event = value.event.value
        if event in ("PowerOn", "PowerOff"):
            self._m.logbook.line("EVSE", f"Event {event}")
            self._feed(Contactor(event == "PowerOn"))
        elif event != "Disconnected":
            self._feed(CpReported(Cp(event)))

    def _ampacity(self, value: board.ProximityPilot) -> None:
        limit_A = AMPACITY_A[value.ampacity]
        if limit_A == 63.0 and self._m.energy_adapter.leaf.hardware.max_phase_count_import == 1:
            limit_A = SINGLE_PHASE_A
        self._m.energy_adapter.cable(limit_A)

    def _telemetry(self, value: Telemetry) -> None:
        self._m.evse.telemetry.publish(value)
        self._m.panel.temperature(value.evse_temperature_C)
        if value.plug_temperature_C is not None:
            self._m.dc_external_derate.plug_temperature_C.publish(value.plug_temperature_C)

    def _stop_button(self, request: StopTransactionRequest) -> None:
        self._m.cancel_transaction(request)

    # Meters, supply.

    def _car_meter(self, value: Powermeter) -> None:
        self._m.car_meter_value = value
        self._billing(value)

    def _grid_meter(self, value: Powermeter) -> None:
        self._m.grid_meter_value = value
        if self._m.powermeter_car_side is None:
            self._billing(value)

    def _billing(self, value: Powermeter) -> None:
        m = self._m
        self._feed(MeterRead(value))
        m.evse.powermeter.publish(value)
        m.panel.meter(value)
        m.tell_hlc("update_meter_info", value)
        if m.machines.snapshot.service is not None and value.power_W is not None:
            m.tell_hlc("update_ac_present_power", value.power_W)

    def _supply(self, value: VoltageCurrent) -> None:
        m = self._m
        self._feed(SupplyMeasured(value.voltage_V, value.current_A))
        present = (value.voltage_V, value.current_A)
        if present != self._present:
            self._present = present
            m.hlc_adapter.present_values(*present)
            if m.machines.snapshot.session:
                self._info.enter(present_voltage=value.voltage_V, present_current=value.current_A)

    # Communication with the EV.

    def _slac_mac(self, mac: str) -> None:
        self._m.logbook.line("CAR", f"SLAC MAC {mac}", iso15118=True)
        self._feed(EvIdentified("SLAC", mac))
        if self._m.config.autocharge_use_slac_instead_of_hlc:
            self._feed(EvccId(mac))

    def _evcc_id(self, mac: str) -> None:
        self._info.learn(evcc_id=mac)
        self._feed(EvIdentified("HLC", mac))
        self._m.evse.car_manufacturer.publish(manufacturer_from_mac(mac))
        if not self._m.config.autocharge_use_slac_instead_of_hlc:
            self._feed(EvccId(mac))

    def _hlc(self, hlc: Iso15118Charger) -> None:
        m, feed, learn = self._m, self._feed, self._info.learn

        def event(variable: Any, make: Callable[[Any], Any], line: str = "", origin: str = "EVSE") -> None:
            def take(value: Any) -> None:
                if line:
                    m.logbook.line(origin, line, iso15118=True)
                feed(make(value))

            variable.subscribe(take, replay=False)

        def fact(variable: Any, name: str) -> None:
            variable.subscribe(lambda value: learn(**{name: value}), replay=False)

        event(hlc.require_auth_eim, lambda _: EimWanted())
        event(hlc.require_auth_pnc, ContractWanted)
        event(hlc.dlink_error, lambda _: LinkError(), "D-LINK_ERROR.req")
        event(hlc.dlink_pause, lambda _: LinkPause(), "D-LINK_PAUSE.req")
        event(hlc.dlink_terminate, lambda _: LinkTerminate(), "D-LINK_TERMINATE.req")
        event(hlc.v2g_setup_finished, lambda _: V2gSetupFinished())
        hlc.hlc_session_failed.subscribe(self._failed, replay=False)
        hlc.evcc_id.subscribe(self._evcc_id, replay=False)
        hlc.selected_service_parameters.subscribe(self._service, replay=False)
        hlc.selected_protocol.subscribe(self._protocol, replay=False)
        if m.config.session_logging:
            hlc.v2g_messages.subscribe(m.logbook.v2g, replay=False)
        fact(hlc.departure_time, "departure_time")
        if m.config.dc:
            self._hlc_dc(hlc, event, fact)
        else:
            event(hlc.ac_close_contactor, lambda _: HlcAllowsClose(True), "AC HLC Close contactor", "CAR")
            event(hlc.ac_open_contactor, lambda _: HlcAllowsClose(False), "AC HLC Open contactor", "CAR")
            fact(hlc.ac_eamount, "remaining_energy_needed")
            fact(hlc.ac_ev_max_voltage, "maximum_voltage_limit")
            fact(hlc.ac_ev_max_current, "maximum_current_limit")
            fact(hlc.ac_ev_min_current, "minimum_current_limit")
            hlc.ac_ev_power_limits.subscribe(lambda value: learn(**ev_limits_facts(value)), replay=False)
            hlc.ac_ev_present_powers.subscribe(self._ac_powers, replay=False)
            hlc.ac_ev_dynamic_control_mode.subscribe(self._wishes, replay=False)

    def _hlc_dc(self, hlc: Iso15118Charger, event: Any, fact: Any) -> None:
        event(hlc.start_cable_check, lambda _: CableCheckStart(), "Start cable check...")
        event(hlc.start_pre_charge, lambda _: PreChargeStart())
        event(hlc.current_demand_started, lambda _: CurrentDemand(True))
        event(hlc.current_demand_finished, lambda _: CurrentDemand(False))
        event(hlc.dc_open_contactor, lambda _: DcOpenContactor())
        event(hlc.sae_bidi_mode_active, lambda _: SaeBidi())
        hlc.sae_bidi_mode_active.subscribe(self._sae, replay=False)
        hlc.dc_ev_target_voltage_current.subscribe(self._targets, replay=False)
        hlc.dc_ev_maximum_limits.subscribe(self._maximum, replay=False)
        hlc.d20_dc_dynamic_charge_mode.subscribe(self._dynamic, replay=False)
        hlc.dc_ev_remaining_time.subscribe(self._remaining, replay=False)
        hlc.dc_ev_status.subscribe(lambda value: self._info.learn(soc=value.dc_ev_ress_soc), replay=False)
        fact(hlc.dc_ev_energy_capacity, "battery_capacity")
        fact(hlc.dc_ev_energy_request, "remaining_energy_needed")
        fact(hlc.dc_full_soc, "battery_full_soc")
        fact(hlc.dc_bulk_soc, "battery_bulk_soc")

    def _failed(self, reason: HlcSessionFailedReasonEnum) -> None:
        self._m.log.info("the session with the EV failed: %s", reason.value)
        uuid = self._m.machines.snapshot.session_id
        self._m.evse.hlc_session_failed.publish(HlcSessionFailedEvent(uuid=uuid, reason=reason))

    def _service(self, value: iso.SelectedServiceParameters) -> None:
        self._m.energy_adapter.leaf.bidirectional = is_bidirectional(value)
        self._feed(ServiceSelected(is_bidirectional(value), is_ac(value)))

    def _protocol(self, name: str) -> None:
        self._m.log.info("EV speaks %s", name)
        self._m.evse.selected_protocol.publish(name)

    def _sae(self, _: None) -> None:
        self._m.hlc_adapter.sae_active = True
        leaf, supply = self._m.energy_adapter.leaf, self._m.energy_adapter.supply
        leaf.bidirectional = True
        if self._m.config.sae_j2847_2_bpt_mode is SaeMode.V2H:
            # The EV feeds the house: nothing is drawn from the grid.
            leaf.local = (supply.max_import_power_W or 0.0, 0.0)

    def _targets(self, value: iso.DcEvTargetValues) -> None:
        self._feed(EvTargets(value.dc_ev_target_voltage, value.dc_ev_target_current))
        self._info.learn(target_voltage=value.dc_ev_target_voltage, target_current=value.dc_ev_target_current)

    def _maximum(self, value: iso.DcEvMaximumLimits) -> None:
        # A message may tell only one of them; the others stay.
        known = self._m.machines.snapshot.power_path.ev_maximum
        voltage_V = _or(value.dc_ev_maximum_voltage_limit, known.voltage_V)
        current_A = _or(value.dc_ev_maximum_current_limit, known.current_A)
        power_W = _or(value.dc_ev_maximum_power_limit, known.power_W)
        self._feed(EvMaximum(voltage_V, current_A, power_W))
        self._info.learn(maximum_voltage_limit=voltage_V, maximum_current_limit=current_A, maximum_power_limit=power_W)

    def _dynamic(self, value: iso.DcChargeDynamicModeValues) -> None:
        self._feed(
            DynamicLimits(
                max_voltage_V=value.max_voltage,
                min_voltage_V=value.min_voltage,
                max_current_A=value.max_charge_current,
                max_power_W=value.max_charge_power,
                discharge_current_A=value.max_discharge_current,
                discharge_power_W=value.max_discharge_power,
            )
        )
        self._wishes(value)

    def _wishes(self, value: iso.DcChargeDynamicModeValues | iso.AcEvDynamicModeValues) -> None:
        self._info.learn(
            target_energy_request=value.target_energy_request,
            max_energy_request=value.max_energy_request,
            min_energy_request=value.min_energy_request,
        )

    def _remaining(self, value: iso.DcEvRemainingTime) -> None:
        self._info.learn(
            estimated_time_full=value.ev_remaining_time_to_full_soc,
            estimated_time_bulk=value.ev_remaining_time_to_full_bulk_soc,
        )

    def _ac_powers(self, value: iso.AcEvPresentPowerValues) -> None:
        reactive = value.present_reactive_power
        self._info.learn(
            ac_present_active_power=value.present_active_power.total,
            ac_present_reactive_power=reactive.total if reactive is not None else None,
        )

    # Faults.

    def _faults(self) -> None:
        m = self._m
        watched: list[Contract | None] = [m.bsp, m.ac_rcd, m.connector_lock]
        if m.config.fail_on_powermeter_errors:
            watched.append(m.billing_meter)
        if m.config.dc:
            watched += [m.imd, m.over_voltage_monitor, m.powersupply_DC]
        if m.hlc_adapter.used:
            watched += [m.slac, m.hlc]
        for end in watched:
            if end is not None:
                end.faults.subscribe(self._seen, self._gone)

    def _seen(self, fault: Fault) -> None:
        m = self._m
        m.logbook.line("SYS", f"Error {fault.type} {fault.sub_type}".rstrip())
        origin = f"{fault.origin.module_id}.{fault.origin.implementation_id}"
        namespace = fault.type.partition("/")[0]
        self._feed(FaultRaised(namespace, fault.type, fault.sub_type, fault.severity, fault.vendor_id, origin))

    def _gone(self, fault: Fault) -> None:
        origin = f"{fault.origin.module_id}.{fault.origin.implementation_id}"
        self._feed(FaultCleared(fault.type, fault.sub_type, origin))
