"""The methods of RpcApi (version 1.0.0): each is one coroutine whose parameters are checked from its types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from msgspec import Meta

from chargebyte_fw.contracts.interfaces.charger_information import ChargerInformation
from chargebyte_fw.contracts.interfaces.external_energy_limits import ExternalEnergyLimits
from chargebyte_fw.kernel.clock import utc_now
from chargebyte_fw.kernel.errors import CommandError
from chargebyte_fw.kernel.faults import Fault
from chargebyte_fw.modules.api import rpc_objects as objects
from chargebyte_fw.modules.api.evse_view import EvseView, sink_of
from chargebyte_fw.modules.api.jsonrpc import Method
from chargebyte_fw.modules.api.orders import EvseControl
from chargebyte_fw.modules.api.rpc_objects import ResponseError
from chargebyte_fw.modules.api.session_info import SessionState

API_VERSION = "1.0.0"

EvseIndex = int
Priority = Annotated[int, Meta(ge=0, le=10000)]
Result = dict[str, Any]
NoError = ResponseError.NoError


def _only(error: ResponseError) -> Result:
    return {"error": error}


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
        """Return EVSEStatus, None before the EVSE published its first state."""
        if control.view.session.state is SessionState.Unknown:
            return None
        index = control.view.index
        return objects.evse_status(
            control.view,
            charging_allowed=control.orders.charging_allowed,
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
        return self._answer(evse_index, "status", self.status_of, objects.NO_STATUS)

    async def get_hardware_capabilities(self, evse_index: EvseIndex) -> Result:
        """EVSE.GetHardwareCapabilities."""
        return self._answer(
            evse_index,
            "hardware_capabilities",
            lambda control: objects.hardware_capabilities(control.view),
            objects.NO_CAPABILITIES,
        )

    async def get_meter_data(self, evse_index: EvseIndex) -> Result:
        """EVSE.GetMeterData."""
        return self._answer(evse_index, "meter_data", self.meter_of, objects.NO_METER)

    def _answer(self, evse_index: int, name: str, read: Any, nothing: Result) -> Result:
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
        """EVSE.SetChargingAllowed: a standing order. Deny closes the limit and pauses; allow undoes both."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        try:
            await control.allow_charging(charging_allowed)
        except CommandError:
            return _only(ResponseError.ErrorValuesNotApplied)
        finally:
            control.view.changed("charging_allowed")
        return _only(NoError)

    async def set_ac_charging_current(self, evse_index: EvseIndex, max_current: float) -> Result:
        """EVSE.SetACChargingCurrent, in A per phase; answers when the limit is in force."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        return _only(NoError if await control.give_current(max_current) else ResponseError.ErrorValuesNotApplied)

    async def set_ac_charging_phase_count(self, evse_index: EvseIndex, phase_count: int) -> Result:
        """EVSE.SetACChargingPhaseCount."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        board, now = control.view.capabilities, control.view.limits
        valid = phase_count in (1, 3)
        switches = board is not None and board.supports_changing_phases_during_charging
        if now is not None and now.nr_of_phases_available == phase_count and not (valid and switches):
            return _only(NoError)
        if board is None or not switches:
            return _only(ResponseError.ErrorOperationNotSupported)
        if not board.min_phase_count_import <= phase_count <= board.max_phase_count_import:
            return _only(ResponseError.ErrorOutOfRange)
        if not valid:
            return _only(ResponseError.ErrorInvalidParameter)
        return await self._give(control, phases=phase_count)

    async def set_dc_charging_power(self, evse_index: EvseIndex, max_power: float) -> Result:
        """EVSE.SetDCChargingPower, in W."""
        control = self._controlled(evse_index)
        if isinstance(control, ResponseError):
            return _only(control)
        return await self._give(control, power_W=max_power, current_A=None)

    @staticmethod
    async def _give(control: EvseControl, **changes: Any) -> Result:
        try:
            await control.give(**changes)
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
        applied = await control.enable(connector_index, enable, priority)
        return _only(NoError if applied else ResponseError.ErrorValuesNotApplied)


def _concerns(fault: Fault, evse_index: int) -> bool:
    return fault.origin.mapping is None or fault.origin.mapping.evse == evse_index
