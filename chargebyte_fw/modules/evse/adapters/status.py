"""What `secc status` shows of one EVSE, from the machines' snapshot and the events of the present session."""

from __future__ import annotations

from collections.abc import Sequence

from chargebyte_fw.contracts.evse_status import EvseStatus
from chargebyte_fw.contracts.types.evse_manager import SessionEvent, SessionEventEnum
from chargebyte_fw.contracts.types.powermeter import Powermeter
from chargebyte_fw.modules.evse.adapters.energy import STATES
from chargebyte_fw.modules.evse.machine.events import Charging
from chargebyte_fw.modules.evse.machine.fault_policy import OWN
from chargebyte_fw.modules.evse.machine.snapshot import Snapshot

PAUSED = (Charging.ChargingPausedEVSE, Charging.PrepareCharging)


def status(
    snapshot: Snapshot, pilot: tuple[str, float | None], events: Sequence[SessionEvent], limited_by: str, itself: str
) -> EvseStatus:
    """Return state and session of the implementation `itself`; `limited_by` counts while there is no power.

    `pilot` is its state by IEC 61851-1 and the duty cycle in %.
    """
    by_kind = {event.event: event for event in events}
    began = by_kind.get(SessionEventEnum.SessionStarted)
    transaction = by_kind.get(SessionEventEnum.TransactionStarted)
    started = transaction.transaction_started if transaction is not None else None
    state = snapshot.state if snapshot.started else Charging.Disabled
    paused = by_kind.get(SessionEventEnum.ChargingPausedEVSE) if state is Charging.ChargingPausedEVSE else None
    reasons = paused.charging_paused_evse.reasons if paused is not None and paused.charging_paused_evse else []
    return EvseStatus(
        state=STATES[state].value,
        pilot=pilot[0],
        pwm_percent=pilot[1],
        reserved=snapshot.reservation_id is not None,
        session_id=snapshot.session_id if snapshot.session else "",
        session_since=began.timestamp if began is not None and snapshot.session else "",
        authorized_by=started.id_tag.authorization_type.value if started is not None else "",
        transaction_since=transaction.timestamp if transaction is not None else "",
        import_at_start_Wh=started.meter_value.energy_Wh_import.total if started is not None else None,
        export_at_start_Wh=_export_Wh(started.meter_value) if started is not None else None,
        paused=[reason.value for reason in reasons],
        limited_by=limited_by if state in PAUSED and not snapshot.power else "",
        blocking=[(itself if fault.origin == OWN else fault.origin, fault.type) for fault in snapshot.blocking_faults],
    )


def _export_Wh(meter: Powermeter) -> float | None:
    return meter.energy_Wh_export.total if meter.energy_Wh_export is not None else None
