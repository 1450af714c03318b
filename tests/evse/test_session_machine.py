"""The session machine by itself: what comes while the meter is asked waits for its answer, in its order."""

from __future__ import annotations

from typing import Any

from chargebyte_fw.contracts.types import units
from chargebyte_fw.contracts.types.evse_manager import SessionEventEnum as Name
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason as Reason
from chargebyte_fw.contracts.types.powermeter import (
    Powermeter,
    TransactionRequestStatus,
    TransactionStartResponse,
    TransactionStopResponse,
)
from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.modules.evse.config import EvseConfig
from chargebyte_fw.modules.evse.machine.effects import (
    LogLine,
    PublishSessionEvent,
    RaiseFault,
    StartMeter,
    StopMeter,
    StoreSessionId,
)
from chargebyte_fw.modules.evse.machine.events import MeterRead, MeterStarted, MeterStopped
from chargebyte_fw.modules.evse.machine.session import SessionMachine, SessionState
from chargebyte_fw.modules.evse.machine.signals import (
    BeginSession,
    BeginTransaction,
    EndSession,
    EndTransaction,
    SessionEventDue,
    TransactionChanged,
)
from tests.evse.fakes import signed
from tests.evse.world import TOKEN

ID = "f3b1b3c6-5f2f-4f8e-9a53-6f2f7b3a0c11"
STARTED = MeterStarted(TransactionStartResponse(status=TransactionRequestStatus.OK, signed_meter_value=signed("start")))
STOPPED = MeterStopped(TransactionStopResponse(status=TransactionRequestStatus.OK, signed_meter_value=signed("stop")))


def begun(**config: Any) -> SessionMachine:
    machine = SessionMachine(EvseConfig(connector_id=1, **config), lambda: ID)
    machine.feed(BeginSession(), 0.0)
    return machine


def names(effects: list[Any]) -> list[Name]:
    return [effect.event for effect in effects if isinstance(effect, PublishSessionEvent)]


def read(energy_Wh: float) -> MeterRead:
    return MeterRead(Powermeter(timestamp="", energy_Wh_import=units.Energy(total=energy_Wh)))


def test_session_events_wait_while_the_meter_starts_the_transaction() -> None:
    machine = begun()
    assert machine.feed(BeginTransaction(TOKEN, "0.30 EUR"), 1.0) == [StartMeter(ID, TOKEN, "0.30 EUR")]
    assert machine.feed(SessionEventDue(Name.PrepareCharging), 2.0) == []
    assert machine.feed(SessionEventDue(Name.ChargingStarted), 3.0) == []
    effects = machine.feed(STARTED, 4.0)
    assert names(effects) == [Name.TransactionStarted, Name.PrepareCharging, Name.ChargingStarted]
    assert StoreSessionId(ID) in effects and TransactionChanged(True) in effects


def test_the_end_of_transaction_and_session_waits_while_the_meter_starts_the_transaction() -> None:
    machine = begun()
    machine.feed(BeginTransaction(TOKEN), 1.0)
    assert machine.feed(EndTransaction(Reason.EVDisconnected), 2.0) == []
    assert machine.feed(EndSession(), 2.0) == []
    effects = machine.feed(STARTED, 3.0)
    assert names(effects) == [Name.TransactionStarted]
    assert effects[-1] == StopMeter(ID) and machine.state is SessionState.Ending
    effects = machine.feed(STOPPED, 4.0)
    assert names(effects) == [Name.ChargingFinished, Name.TransactionFinished, Name.SessionFinished]
    assert machine.state is SessionState.NoSession and machine.id == ""


def test_a_session_that_begins_while_the_meter_ends_the_last_transaction_begins_after_it() -> None:
    machine = begun()
    machine.feed(BeginTransaction(TOKEN), 1.0)
    machine.feed(STARTED, 1.0)
    machine.feed(EndTransaction(Reason.EVDisconnected), 2.0)
    assert machine.feed(EndSession(), 2.0) == [] and machine.feed(BeginSession(), 3.0) == []
    effects = machine.feed(STOPPED, 4.0)
    assert names(effects)[-2:] == [Name.SessionFinished, Name.SessionStarted]
    assert machine.state is SessionState.Begun


def test_a_meter_that_refuses_the_start_is_a_fault_and_what_waited_follows() -> None:
    machine = begun(fail_on_powermeter_errors=True)
    machine.feed(BeginTransaction(TOKEN), 1.0)
    machine.feed(SessionEventDue(Name.Deauthorized), 2.0)
    effects = machine.feed(MeterStarted(None), 3.0)
    assert RaiseFault("PowermeterTransactionStartFailed", "no answer", severity=Severity.Medium) in effects
    assert TransactionChanged(False, True) in effects and names(effects) == [Name.Deauthorized]
    assert machine.state is SessionState.Begun


def test_a_meter_without_an_answer_bills_without_a_signature_where_it_may() -> None:
    machine = begun(fail_on_powermeter_errors=False)
    machine.feed(BeginTransaction(TOKEN), 1.0)
    (started,) = [one for one in machine.feed(MeterStarted(None), 2.0) if isinstance(one, PublishSessionEvent)]
    assert started.extra["transaction_started"].signed_meter_value is None
    assert machine.state is SessionState.Running


def test_the_end_of_a_transaction_carries_both_signatures_reason_and_token() -> None:
    machine = begun()
    machine.feed(read(1000.0), 0.0)
    machine.feed(BeginTransaction(TOKEN), 1.0)
    machine.feed(STARTED, 1.0)
    machine.feed(read(900.0), 2.0)
    assert machine.feed(EndTransaction(Reason.Local, TOKEN), 3.0) == [StopMeter(ID)]
    effects = machine.feed(STOPPED, 4.0)
    (finished,) = [one.extra["transaction_finished"] for one in effects if "transaction_finished" in _extra(one)]
    assert (finished.reason, finished.id_tag, finished.meter_value.energy_Wh_import.total) == (Reason.Local, TOKEN, 900)
    assert (finished.start_signed_meter_value, finished.signed_meter_value) == (signed("start"), signed("stop"))
    assert StoreSessionId("") in effects and TransactionChanged(False) in effects
    (warning,) = [one.text for one in effects if isinstance(one, LogLine) and one.level == "warning"]
    assert warning == "the meter counted backwards in this transaction: 1000 Wh, then 900 Wh"


def _extra(effect: Any) -> dict[str, Any]:
    return effect.extra if isinstance(effect, PublishSessionEvent) else {}
