"""The methods of RpcApi (version 1.0.0): each is one coroutine whose parameters are checked from its types."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.contracts.types.energy import ExternalLimits
from chargebyte_fw.contracts.types.evse_manager import (
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
)
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.api import limits
from chargebyte_fw.modules.api import rpc_objects as objects
from chargebyte_fw.modules.api.evse_view import EvseView, sink_of
from chargebyte_fw.modules.api.jsonrpc import Method
from chargebyte_fw.modules.api.rpc_objects import ResponseError
from chargebyte_fw.modules.api.session_info import SessionState

API_VERSION = "1.0.0"
SOURCE = "RpcApi_module"
UNLIMITED_A = 999.9
APPLIED_WITHIN_S = 5.0
_TOLERANCE = 1e-3

EvseIndex = int
Priority = Annotated[int, Meta(ge=0, le=10000)]
Result = dict[str, Any]
NoError = ResponseError.NoError


def _only(error: ResponseError) -> Result:
    return {"error": error}


class EvseControl:
    """What RpcApi wants of one EVSE: whether charging is allowed, and the limits last set (each EVSE has its own)."""

    def __init__(self, view: EvseView, sink: ExternalEnergyLimits | None) -> None:
        self.view = view
        self.sink = sink
        self.charging_allowed = True
        self.current_A: float | None = None
        self.power_W: float | None = None
        self.phases: int | None = None

    def wanted(self) -> ExternalLimits:
        """Return the limits that apply while charging is allowed."""
        if self.power_W is not None:
            return limits.power_limit(self.power_W, SOURCE, utc_now())
        current_A = UNLIMITED_A if self.current_A is None else self.current_A
        if self.phases is not None:
            return limits.phase_limit(current_A, self.phases, SOURCE, utc_now())
        return limits.current_limit(current_A, SOURCE, utc_now())

    async def apply(self) -> None:
        """Send the limits to the energy node."""
        assert self.sink is not None
        await self.sink.set_external_limits(self.wanted())


class Methods:
    """Every method by its name in `table`; results are plain data."""

    def __init__(
        self,
        views: Sequence[EvseView],
        sinks: Sequence[ExternalEnergyLimits],
        information: ChargerInformation | None,
        version: str,
        decimal_places: int,
    ) -> None:
        self.controls = {view.index: EvseControl(view, sink_of(view, sinks)) for view in views}
        self.active_faults: dict[str, Fault] = {}
        """By uuid, oldest first."""
        self._information = information
        self._version = version
        self._decimal_places = decimal_places
        self.table: Mapping[str, Method] = {
            "API.Hello": self.hello,
            "ChargePoint.GetEVSEInfos": self.get_evse_infos,
            "ChargePoint.GetActiveErrors": self.get_active_errors,
            "EVSE.GetInfo": self.get_info,
            "EVSE.GetStatus": self.get_status,
            "EVSE.GetHardwareCapabilities": self.get_hardware_capabilities,
            "EVSE.SetChargingAllowed": self.set_charging_allowed,
            "EVSE.GetMeterData": self.get_meter_data,
            "EVSE.SetACChargingCurrent": self.set_ac_charging_current,
            "EVSE.SetACChargingPhaseCount": self.set_ac_charging_phase_count,
            "EVSE.SetDCChargingPower": self.set_dc_charging_power,
            "EVSE.EnableConnector": self.enable_connector,
        }

    def status_of(self, control: EvseControl) -> Result | None:
        """Return EVSEStatus, None before the EVSE told its first state."""
        if control.view.session.state is SessionState.Unknown:
            return None
        index = control.view.index
        return objects.evse_status(
            control.view,
            charging_allowed=control.charging_allowed,
            error_present=any(_concerns(fault, index) for fault in self.active_faults.values()),
            now=utc_now(),
            decimal_places=self._decimal_places,
        )

    def meter_of(self, control: EvseControl) -> Result | None:
        """Return MeterData, None before the first meter value."""
        return objects.meter_data(control.view, self._decimal_places)

    def errors(self) -> list[Result]:
        """Return every active error."""
        return [objects.error_object(fault) for fault in self.active_faults.values()]

    async def hello(self) -> Result:
        """API.Hello."""
        information = None
        if self._information is not None:
            try:
                information = await self._information.get_charger_information()
            except CommandError:
                information = None
        return {
            "authentication_required": False,
            "api_version": API_VERSION,
            "everest_version": self._version,
            "charger_info": objects.charger_info(information),
        }

    async def get_evse_infos(self) -> Result:
        """ChargePoint.GetEVSEInfos."""
        infos = [objects.evse_info(control.view) for control in self.controls.values()]
        return {"infos": infos, "error": NoError}

    async def get_active_errors(self) -> Result:
        """ChargePoint.GetActiveErrors."""
        return {"active_errors": self.errors(), "error": NoError}

    async def get_info(self, evse_index: EvseIndex) -> Result:
        """EVSE.GetInfo."""
        control = self.controls.get(evse_index)
        if control is None:
            return {"info": objects.NO_INFO, "error": ResponseError.ErrorInvalidEVSEIndex}
        return {"info": objects.evse_info(control.view), "error": NoError}

    async def get_status(self, evse_index: EvseIndex) -> Result:
        """EVSE.GetStatus."""
        return self._told(evse_index, "status", self.status_of, objects.NO_STATUS)

    async def get_hardware_capabilities(self, evse_index: EvseIndex) -> Result:
        """EVSE.GetHardwareCapabilities."""
        return self._told(
            evse_index,
            "hardware_capabilities",
            lambda control: objects.hardware_capabilities(control.view),
            objects.NO_CAPABILITIES,
        )

    async def get_meter_data(self, evse_index: EvseIndex) -> Result:
        """EVSE.GetMeterData."""
        return self._told(evse_index, "meter_data", self.meter_of, objects.NO_METER)

    def _told(self, evse_index: int, name: str, read: Any, nothing: Result) -> Result:
        control = self.controls.get(evse_index)
        if control is None:
            return {name: nothing, "error": ResponseError.ErrorInvalidEVSEIndex}
        value = read(control)
        if value is None:
            return {name: nothing, "error": ResponseError.ErrorNoDataAvailable}
        return {name: value, "error": NoError}

    def _controlled(self, evse_index: int) -> EvseControl | ResponseError:
        control = self.controls.get(evse_index)
        if control is None:
            return ResponseError.ErrorInvalidEVSEIndex
        return control if control.sink is not None else ResponseError.ErrorOperationNotSupported

    async def set_charging_allowed(self, evse_index: EvseIndex, charging_allowed: bool) -> Result:
        """EVSE.SetChargingAllowed: deny pauses a charging car and closes the limit otherwise; allow undoes both."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        if control.charging_allowed == charging_allowed:
            return _only(NoError)
        manager, session = control.view.manager, control.view.session
        control.charging_allowed = charging_allowed
        applied = True
        try:
            if charging_allowed:
                await control.apply()
                if session.state is SessionState.ChargingPausedEVSE:
                    applied = await manager.resume_charging()
            elif session.state is SessionState.Charging:
                applied = await manager.pause_charging()
            else:
                assert control.sink is not None
                await control.sink.set_external_limits(limits.current_limit(0.0, SOURCE, utc_now()))
        except CommandError:
            applied = False
        if not applied:
            control.charging_allowed = not charging_allowed
        control.view.changed("charging_allowed")
        return _only(NoError if applied else ResponseError.ErrorValuesNotApplied)

    async def set_ac_charging_current(self, evse_index: EvseIndex, max_current: float) -> Result:
        """EVSE.SetACChargingCurrent, in A per phase; answers when the limit is in force."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        control.current_A, control.power_W = max_current, None
        if not control.charging_allowed:
            return _only(NoError)
        try:
            await control.apply()
            async with asyncio.timeout(APPLIED_WITHIN_S):
                await control.view.manager.enforced_limits.wait_for(
                    lambda enforced: (
                        (limit := enforced.limits_root_side.ac_max_current_A) is not None
                        and limit.value <= abs(max_current) + _TOLERANCE
                    )
                )
        except (CommandError, TimeoutError):
            return _only(ResponseError.ErrorValuesNotApplied)
        return _only(NoError)

    async def set_ac_charging_phase_count(self, evse_index: EvseIndex, phase_count: int) -> Result:
        """EVSE.SetACChargingPhaseCount."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        if control.view.limits is not None and control.view.limits.nr_of_phases_available == phase_count:
            return _only(NoError)
        board = control.view.capabilities
        if board is None or not board.supports_changing_phases_during_charging:
            return _only(ResponseError.ErrorOperationNotSupported)
        if not board.min_phase_count_import <= phase_count <= board.max_phase_count_import:
            return _only(ResponseError.ErrorOutOfRange)
        if phase_count not in (1, 3):
            return _only(ResponseError.ErrorInvalidParameter)
        control.phases = phase_count
        return await self._apply(control)

    async def set_dc_charging_power(self, evse_index: EvseIndex, max_power: float) -> Result:
        """EVSE.SetDCChargingPower, in W."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        control.power_W = max_power
        return await self._apply(control)

    async def _apply(self, control: EvseControl) -> Result:
        if control.charging_allowed:
            try:
                await control.apply()
            except CommandError:
                return _only(ResponseError.ErrorValuesNotApplied)
        return _only(NoError)

    async def enable_connector(
        self, evse_index: EvseIndex, connector_index: int, enable: bool, priority: Priority
    ) -> Result:
        """EVSE.EnableConnector."""
        control = self.controls.get(evse_index)
        if control is None:
            return _only(ResponseError.ErrorInvalidEVSEIndex)
        if all(connector.id != connector_index for connector in control.view.connectors):
            return _only(ResponseError.ErrorInvalidConnectorIndex)
        states = EnableDisableSourceEnableState
        wish = EnableDisableSource(
            enable_source=EnableDisableSourceEnableSource.LocalAPI,
            enable_state=states.Enable if enable else states.Disable,
            enable_priority=priority,
        )
        try:
            applied = await control.view.manager.enable_disable(connector_index, wish) == enable
        except CommandError:
            applied = False
        return _only(NoError if applied else ResponseError.ErrorValuesNotApplied)


def _concerns(fault: Fault, evse_index: int) -> bool:
    return fault.origin.mapping is None or fault.origin.mapping.evse == evse_index
