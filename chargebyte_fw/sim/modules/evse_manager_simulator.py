"""EvseManagerSimulator: an EVSE without a car, for those who are connected to one."""

from __future__ import annotations

from chargebyte_fw.contracts.interfaces.energy import Energy
from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.contracts.types.evse_manager import (
    Connector,
    EnableDisableSource,
    EnableDisableSourceEnableSource,
    EnableDisableSourceEnableState,
    Evse,
    SessionEvent,
    SessionEventEnum,
    SetDerAvailableResult,
    UpdateAllowedEnergyTransferModesResult,
)
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.module import Module, provides
from chargebyte_fw.sim.idle import idle

_Idle = idle(
    EvseManager,
    reserve=False,
    pause_charging=False,
    resume_charging=False,
    stop_transaction=False,
    force_unlock=False,
    update_allowed_energy_transfer_modes=UpdateAllowedEnergyTransferModesResult.NoHlc,
    set_der_available=SetDerAvailableResult.NoHlc,
)


class _Evse(_Idle):  # type: ignore[misc, valid-type]
    """The EVSE."""

    module: EvseManagerSimulator

    async def get_evse(self) -> Evse:
        """Return one connector, with the id of the mapping."""
        mapping = self.module.mapping
        return Evse(id=1 if mapping is None else mapping.evse, connectors=[Connector(id=1)])

    async def enable_disable(self, connector_id: int, cmd_source: EnableDisableSource) -> bool:
        """Do as ordered, whoever orders it."""
        enabled = cmd_source.enable_state is not EnableDisableSourceEnableState.Disable
        self.module.report(SessionEventEnum.Enabled if enabled else SessionEventEnum.Disabled, cmd_source)
        return enabled

    async def external_ready_to_start_charging(self) -> bool:
        """Be ready from now on."""
        self.ready.publish(True)
        return True


class EvseManagerSimulator(Module):
    """Stands for an EVSE that is enabled and waits for a car which never comes; ready once it is released."""

    evse = provides(_Evse, description="The EVSE.")
    energy_grid = provides(idle(Energy), description="Its place in the energy tree; it wants nothing.")

    async def ready(self) -> None:
        """Report the EVSE as enabled."""
        source = EnableDisableSource(
            enable_source=EnableDisableSourceEnableSource.Unspecified,
            enable_state=EnableDisableSourceEnableState.Enable,
            enable_priority=10000,
        )
        self.report(SessionEventEnum.Enabled, source)
        self.evse.waiting_for_external_ready.publish(True)

    def report(self, event: SessionEventEnum, source: EnableDisableSource) -> None:
        """Publish an event of the EVSE."""
        uuid, now = self.runtime.new_uuid(), rfc3339(utc_now())
        self.evse.session_event.publish(SessionEvent(uuid=uuid, timestamp=now, event=event, source=source))
