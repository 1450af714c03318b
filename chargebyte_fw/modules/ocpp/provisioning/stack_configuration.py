"""Variables that other modules of the stack work by: they get them at the start and at each change (ocpp.md 1.7)."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.auth import Auth
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.evse_manager import PlugAndChargeConfiguration
from chargebyte_fw.kernel.effects import call
from chargebyte_fw.modules.ocpp.station import Block, Station, events, receives
from chargebyte_fw.modules.ocpp.variables.standard.authorization import MASTER_PASS_GROUP_ID
from chargebyte_fw.modules.ocpp.variables.standard.iso15118 import (
    CENTRAL_CONTRACT_VALIDATION_ALLOWED,
    CONTRACT_CERTIFICATE_INSTALLATION_ENABLED,
    PNC_ENABLED,
)
from chargebyte_fw.modules.ocpp.variables.standard.transactions import EV_CONNECTION_TIME_OUT


class StackConfiguration(Block):
    """Configures Auth and the EVSEs."""

    def __init__(self, station: Station) -> None:
        super().__init__(station)
        self._loaded = False
        on_change = station.variables.on_change
        on_change(EV_CONNECTION_TIME_OUT, lambda _: self._connection_timeout())
        on_change(MASTER_PASS_GROUP_ID, lambda _: self._master_pass())
        on_change(PNC_ENABLED, lambda _: self._plug_and_charge())
        on_change(CENTRAL_CONTRACT_VALIDATION_ALLOWED, lambda _: self._plug_and_charge())
        on_change(CONTRACT_CERTIFICATE_INSTALLATION_ENABLED, lambda _: self._plug_and_charge())

    @receives(events.Loaded)
    def loaded(self, event: events.Loaded) -> None:
        """Hand over everything, before the EVSEs begin."""
        self._loaded = True
        self._connection_timeout()
        self._plug_and_charge()
        self._master_pass()

    def _connection_timeout(self) -> None:
        timeout_s = self.station.variables.get(EV_CONNECTION_TIME_OUT)
        if self._loaded and timeout_s > 0:
            self.station.command(call(Auth.set_connection_timeout, timeout_s))

    def _master_pass(self) -> None:
        group = self.station.variables.find(MASTER_PASS_GROUP_ID)
        if self._loaded and group is not None and self.station.version.is_2:
            self.station.command(call(Auth.set_master_pass_group_id, group))

    def _plug_and_charge(self) -> None:
        if not self._loaded:
            return
        get = self.station.variables.get
        enabled = get(PNC_ENABLED)
        # OCPP 1.6 has no flag for the installation of contracts: it belongs to Plug and Charge.
        installs = get(CONTRACT_CERTIFICATE_INSTALLATION_ENABLED) if self.station.version.is_2 else enabled
        configuration = PlugAndChargeConfiguration(
            pnc_enabled=enabled,
            central_contract_validation_allowed=get(CENTRAL_CONTRACT_VALIDATION_ALLOWED),
            contract_certificate_installation_enabled=installs,
        )
        for evse_id in self.station.layout.evse_ids:
            self.station.command(call(EvseManager.set_plug_and_charge_configuration, configuration), evse_id=evse_id)
