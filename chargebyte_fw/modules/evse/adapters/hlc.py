"""What SLAC and HLC report of the EV: events for the machines, lines of the session log, and the EV's data."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.interfaces.iso15118_charger import Iso15118Charger
from chargebyte_fw.contracts.interfaces.slac import Slac
from chargebyte_fw.contracts.types import iso15118 as iso
from chargebyte_fw.contracts.types.evse_manager import HlcSessionFailedEvent, HlcSessionFailedReasonEnum
from chargebyte_fw.contracts.types.slac import State as SlacState
from chargebyte_fw.kernel.contract import Variable
from chargebyte_fw.kernel.log import ModuleLog
from chargebyte_fw.modules.evse.adapters.ev_info import (
    EvInfoAdapter,
    ac_power_limits,
    displayed,
    manufacturer_from_mac,
)
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.logs.session_logger import SessionLogger
from chargebyte_fw.modules.evse.machine.events import (
    CableCheckStart,
    ContractWanted,
    CurrentDemand,
    DcOpenContactor,
    DynamicLimits,
    EimWanted,
    EvccId,
    EvIdentified,
    EvMaximum,
    EvTargets,
    HlcAllowsClose,
    LinkError,
    LinkPause,
    LinkReady,
    LinkTerminate,
    PreChargeStart,
    SaeBidi,
    ServiceSelected,
    SlacErrorRoutine,
    SlacStateChanged,
    StateOfChargeRead,
    V2gSetupFinished,
)
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot


def _or(value: float | None, known: float | None) -> float | None:
    return known if value is None else value


class HlcInputs:
    """Subscribes to SLAC and HLC. Past events do not count: only what they report from now on."""

    def __init__(
        self,
        config: EvseConfig,
        feed: Callable[[Any], None],
        snapshot: Callable[[], Snapshot],
        *,
        evse: EvseManager,
        ev_info: EvInfoAdapter,
        session_log: SessionLogger,
        log: ModuleLog,
    ) -> None:
        self._config = config
        self._feed = feed
        self._snapshot = snapshot
        self._evse = evse
        self._info = ev_info
        self._session_log = session_log
        self._log = log

    # SLAC.

    def subscribe_slac(self, slac: Slac) -> None:
        """Take the data link's state and events."""
        slac.state.subscribe(self._slac_state)
        slac.dlink_ready.subscribe(self._link_ready)
        slac.request_error_routine.subscribe(lambda _: self._feed(SlacErrorRoutine()), replay=False)
        slac.ev_mac_address.subscribe(self._slac_mac, replay=False)

    def _slac_state(self, state: SlacState) -> None:
        self._session_log.line("EVSE", f"SLAC {state.value}", iso15118=True)
        self._feed(SlacStateChanged(state))

    def _link_ready(self, up: bool) -> None:
        self._session_log.line("EVSE", f"D-LINK_READY ({str(up).lower()})", iso15118=True)
        self._feed(LinkReady(up))

    def _slac_mac(self, mac: str) -> None:
        self._session_log.line("CAR", f"SLAC MAC {mac}", iso15118=True)
        self._feed(EvIdentified("SLAC", mac))
        if self._config.autocharge_use_slac_instead_of_hlc:
            self._feed(EvccId(mac))

    # HLC.

    def subscribe_hlc(self, hlc: Iso15118Charger) -> None:
        """Take the EV's events and data."""
        self._event(hlc.require_auth_eim, lambda _: EimWanted())
        self._event(hlc.require_auth_pnc, ContractWanted)
        self._event(hlc.dlink_error, lambda _: LinkError(), "D-LINK_ERROR.req")
        self._event(hlc.dlink_pause, lambda _: LinkPause(), "D-LINK_PAUSE.req")
        self._event(hlc.dlink_terminate, lambda _: LinkTerminate(), "D-LINK_TERMINATE.req")
        self._event(hlc.v2g_setup_finished, lambda _: V2gSetupFinished())
        hlc.hlc_session_failed.subscribe(self._session_failed, replay=False)
        hlc.evcc_id.subscribe(self._evcc_id, replay=False)
        hlc.selected_protocol.subscribe(self._protocol, replay=False)
        self._event(hlc.selected_service_parameters, service_selected)
        if self._config.session_logging:
            hlc.v2g_messages.subscribe(self._session_log.v2g, replay=False)
        self._info_of(hlc.departure_time, "departure_time")
        hlc.display_parameters.subscribe(lambda value: self._info.learn(**displayed(value)), replay=False)
        if self._config.dc:
            self._subscribe_dc(hlc)
        else:
            self._subscribe_ac(hlc)

    def _event(self, variable: Variable[Any], make: Callable[[Any], Any], line: str = "", origin: str = "EVSE") -> None:
        def take(value: Any) -> None:
            if line:
                self._session_log.line(origin, line, iso15118=True)
            self._feed(make(value))

        variable.subscribe(take, replay=False)

    def _info_of(self, variable: Variable[Any], name: str) -> None:
        variable.subscribe(lambda value: self._info.learn(**{name: value}), replay=False)

    def _session_failed(self, reason: HlcSessionFailedReasonEnum) -> None:
        self._log.info("the session with the EV failed: %s", reason.value)
        uuid = self._snapshot().session_id
        self._evse.hlc_session_failed.publish(HlcSessionFailedEvent(uuid=uuid, reason=reason))

    def _protocol(self, name: str) -> None:
        self._log.info("EV speaks %s", name)
        self._evse.selected_protocol.publish(name)

    def _evcc_id(self, mac: str) -> None:
        self._info.learn(evcc_id=mac)
        self._feed(EvIdentified("HLC", mac))
        self._evse.car_manufacturer.publish(manufacturer_from_mac(mac))
        if not self._config.autocharge_use_slac_instead_of_hlc:
            self._feed(EvccId(mac))

    # AC.

    def _subscribe_ac(self, hlc: Iso15118Charger) -> None:
        self._event(hlc.ac_close_contactor, lambda _: HlcAllowsClose(True), "AC HLC Close contactor", "CAR")
        self._event(hlc.ac_open_contactor, lambda _: HlcAllowsClose(False), "AC HLC Open contactor", "CAR")
        if self._config.ac_with_soc:
            hlc.dc_ev_status.subscribe(lambda value: self._info.learn(soc=value.dc_ev_ress_soc), replay=False)
            self._event(hlc.dc_ev_status, lambda _: StateOfChargeRead())
            self._event(hlc.start_cable_check, lambda _: StateOfChargeRead())
        self._info_of(hlc.ac_eamount, "remaining_energy_needed")
        self._info_of(hlc.ac_ev_max_voltage, "maximum_voltage_limit")
        self._info_of(hlc.ac_ev_max_current, "maximum_current_limit")
        self._info_of(hlc.ac_ev_min_current, "minimum_current_limit")
        hlc.ac_ev_power_limits.subscribe(lambda value: self._info.learn(**ac_power_limits(value)), replay=False)
        hlc.ac_ev_present_powers.subscribe(self._ac_present_powers, replay=False)
        hlc.ac_ev_dynamic_control_mode.subscribe(self._energy_requests, replay=False)

    def _ac_present_powers(self, value: iso.AcEvPresentPowerValues) -> None:
        reactive = value.present_reactive_power
        self._info.learn(
            ac_present_active_power=value.present_active_power.total,
            ac_present_reactive_power=reactive.total if reactive is not None else None,
        )

    def _energy_requests(self, value: iso.DcChargeDynamicModeValues | iso.AcEvDynamicModeValues) -> None:
        self._info.learn(
            target_energy_request=value.target_energy_request,
            max_energy_request=value.max_energy_request,
            min_energy_request=value.min_energy_request,
        )

    # DC.

    def _subscribe_dc(self, hlc: Iso15118Charger) -> None:
        self._event(hlc.start_cable_check, lambda _: CableCheckStart(), "Start cable check...")
        self._event(hlc.start_pre_charge, lambda _: PreChargeStart())
        self._event(hlc.current_demand_started, lambda _: CurrentDemand(True))
        self._event(hlc.current_demand_finished, lambda _: CurrentDemand(False))
        self._event(hlc.dc_open_contactor, lambda _: DcOpenContactor())
        self._event(hlc.sae_bidi_mode_active, lambda _: SaeBidi())
        hlc.dc_ev_target_voltage_current.subscribe(self._dc_targets, replay=False)
        hlc.dc_ev_maximum_limits.subscribe(self._dc_maximum, replay=False)
        hlc.d20_dc_dynamic_charge_mode.subscribe(self._dc_dynamic, replay=False)
        hlc.dc_ev_remaining_time.subscribe(self._dc_remaining_time, replay=False)
        hlc.dc_ev_status.subscribe(lambda value: self._info.learn(soc=value.dc_ev_ress_soc), replay=False)
        self._info_of(hlc.dc_ev_energy_capacity, "battery_capacity")
        self._info_of(hlc.dc_ev_energy_request, "remaining_energy_needed")
        self._info_of(hlc.dc_full_soc, "battery_full_soc")
        self._info_of(hlc.dc_bulk_soc, "battery_bulk_soc")

    def _dc_targets(self, value: iso.DcEvTargetValues) -> None:
        self._feed(EvTargets(value.dc_ev_target_voltage, value.dc_ev_target_current))
        self._info.learn(target_voltage=value.dc_ev_target_voltage, target_current=value.dc_ev_target_current)

    def _dc_maximum(self, value: iso.DcEvMaximumLimits) -> None:
        # A message may have only one of them; the others stay.
        known = self._snapshot().power_path.ev_maximum
        voltage_V = _or(value.dc_ev_maximum_voltage_limit, known.voltage_V)
        current_A = _or(value.dc_ev_maximum_current_limit, known.current_A)
        power_W = _or(value.dc_ev_maximum_power_limit, known.power_W)
        self._feed(EvMaximum(voltage_V, current_A, power_W))
        self._info.learn(maximum_voltage_limit=voltage_V, maximum_current_limit=current_A, maximum_power_limit=power_W)

    def _dc_dynamic(self, value: iso.DcChargeDynamicModeValues) -> None:
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
        self._energy_requests(value)

    def _dc_remaining_time(self, value: iso.DcEvRemainingTime) -> None:
        self._info.learn(
            estimated_time_full=value.ev_remaining_time_to_full_soc,
            estimated_time_bulk=value.ev_remaining_time_to_full_bulk_soc,
        )


def service_selected(selected: iso.SelectedServiceParameters) -> ServiceSelected:
    """Return the event of an energy service that the EV has chosen."""
    transfer = selected.energy_transfer.value
    return ServiceSelected(bidirectional="BPT" in transfer or "DER" in transfer, ac=transfer.startswith("AC"))
