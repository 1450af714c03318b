"""The faults of the EVSE itself: the machines' decisions, raised and cleared."""

from __future__ import annotations

from collections.abc import Callable

from chargebyte_fw.contracts.interfaces.evse_manager import EvseManager
from chargebyte_fw.kernel.clock import rfc3339, utc_now
from chargebyte_fw.kernel.faults import Fault, FaultState, Origin
from chargebyte_fw.kernel.module import Module
from chargebyte_fw.modules.evse.machine.effects import ClearFault, RaiseFault
from chargebyte_fw.modules.evse.machine.events import Shutdown
from chargebyte_fw.modules.evse.machine.fault_policy import INOPERATIVE, OWN, cleared_by
from chargebyte_fw.modules.evse.machine.signals import ShutdownChanged
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot


class OwnFaults:
    """Raises and clears the faults of the implementation `evse`."""

    def __init__(self, module: Module, evse: EvseManager, snapshot: Callable[[], Snapshot]) -> None:
        self._module = module
        self._faults = evse.faults
        self._snapshot = snapshot

    def raise_fault(self, effect: RaiseFault) -> None:
        """Raise one; the summary of all that block charging has a description and a vendor id of its own."""
        type = f"{OWN}/{effect.name}"
        if effect.name != INOPERATIVE:
            if self._faults.raise_fault(type, effect.message, sub_type=effect.sub_type, severity=effect.severity):
                self._module.log.warning("%s: %s", effect.name, effect.message)
            return
        self._faults.take_raise(
            Fault(
                type=type,
                sub_type="",
                message=effect.message,
                description=effect.description,
                severity=effect.severity,
                origin=Origin(self._module.id, "evse", self._module.mapping),
                state=FaultState.Active,
                timestamp=rfc3339(utc_now()),
                uuid=self._module.runtime.new_uuid(),
                vendor_id=effect.vendor_id,
            )
        )

    def clear(self, effect: ClearFault) -> None:
        """Clear one with all its sub-types; without a name those that a new plug-in clears."""
        if effect.name:
            self._faults.clear_all(f"{OWN}/{effect.name}")
            return
        for fault in self._faults.active:
            if cleared_by(effect.name, fault.type):
                self._faults.clear(fault.type, fault.sub_type)

    def shutdown(self, event: ShutdownChanged) -> None:
        """Log what keeps the EVSE from charging."""
        if event.kind is Shutdown.Nothing:
            self._module.log.info("all faults that block charging are over")
            return
        causes = self._snapshot().blocking_faults
        names = ", ".join(f"{cause.type}/{cause.sub_type}".rstrip("/") for cause in causes)
        self._module.log.warning("%s shutdown: %s", event.kind.name.lower(), names)
