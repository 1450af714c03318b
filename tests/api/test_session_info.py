"""SessionInfo: the state after each event; energy and duration stand still outside the charging states."""

from __future__ import annotations

import pytest

from chargebyte_fw.contracts.types.evse_manager import (
    SessionEventEnum,
    StopTransactionReason,
    TransactionFinished,
    TransactionStarted,
)
from chargebyte_fw.modules.api.session_info import SessionInfo, SessionState
from tests.api.helpers import event, meter

E, S = SessionEventEnum, SessionState


def started(energy_Wh: float) -> TransactionStarted:
    from chargebyte_fw.contracts.types.authorization import AuthorizationType, IdToken, IdTokenType, ProvidedIdToken

    token = ProvidedIdToken(
        id_token=IdToken(value="T", type=IdTokenType.ISO14443), authorization_type=AuthorizationType.RFID
    )
    return TransactionStarted(id_tag=token, meter_value=meter(energy_Wh))


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (E.Enabled, S.Unplugged),
        (E.Disabled, S.Disabled),
        (E.SessionStarted, S.Preparing),
        (E.AuthRequired, S.AuthRequired),
        (E.PrepareCharging, S.Preparing),
        (E.ChargingStarted, S.Charging),
        (E.ChargingPausedEV, S.ChargingPausedEV),
        (E.ChargingPausedEVSE, S.ChargingPausedEVSE),
        (E.StoppingCharging, S.FinishedEV),
        (E.ChargingFinished, S.Finished),
        (E.SessionFinished, S.Unplugged),
        (E.PluginTimeout, S.AuthTimeout),
        (E.ReservationStart, S.Reserved),
        (E.ReservationEnd, S.Unplugged),
    ],
)
def test_each_event_leads_to_its_state(kind: SessionEventEnum, state: SessionState) -> None:
    info = SessionInfo()
    info.take_event(event(kind), 0.0)
    assert info.state is state


@pytest.mark.parametrize("kind", [E.Authorized, E.Deauthorized, E.SwitchingPhases])
def test_other_events_keep_the_state(kind: SessionEventEnum) -> None:
    info = SessionInfo()
    info.take_event(event(E.ChargingStarted), 0.0)
    info.take_event(event(kind), 1.0)
    assert info.state is S.Charging


def test_only_rpc_api_tells_of_switching_phases() -> None:
    info = SessionInfo(tells_phase_switching=True)
    info.take_event(event(E.SwitchingPhases), 0.0)
    assert info.state is S.SwitchingPhases


@pytest.mark.parametrize(
    ("reason", "state"),
    [(StopTransactionReason.Local, S.FinishedEVSE), (StopTransactionReason.EVDisconnected, S.Finished)],
)
def test_a_local_stop_is_finished_by_the_evse(reason: StopTransactionReason, state: SessionState) -> None:
    info = SessionInfo()
    info.take_event(event(E.TransactionStarted, transaction_started=started(100.0)), 0.0)
    finished = TransactionFinished(meter_value=meter(150.0), reason=reason)
    info.take_event(event(E.TransactionFinished, transaction_finished=finished), 9.0)
    assert info.state is state and info.charged_energy_Wh == 50.0


def test_energy_and_duration_count_from_the_transaction_and_only_while_charging() -> None:
    info = SessionInfo()
    info.take_event(event(E.SessionStarted), 0.0)
    info.take_event(event(E.TransactionStarted, transaction_started=started(1000.0)), 10.0)
    info.take_meter(meter(1003.0, 500.0), 12.0)
    assert (info.charged_energy_Wh, info.duration_s(12.0), info.latest_total_W) == (0.0, 0, 500.0)
    info.take_event(event(E.ChargingStarted), 15.0)
    info.take_meter(meter(1020.0), 30.0)
    assert (info.charged_energy_Wh, info.duration_s(40.9)) == (20.0, 30)
    info.take_event(event(E.ChargingFinished), 45.0)
    info.take_meter(meter(1021.0), 50.0)
    assert (info.charged_energy_Wh, info.duration_s(99.0)) == (20.0, 35)


def test_the_next_session_begins_at_nothing() -> None:
    info = SessionInfo()
    info.take_event(event(E.TransactionStarted, transaction_started=started(0.0)), 0.0)
    info.take_event(event(E.ChargingStarted), 1.0)
    info.take_meter(meter(7.0), 2.0)
    info.take_event(event(E.SessionStarted), 60.0)
    assert (info.charged_energy_Wh, info.duration_s(61.0)) == (0.0, 0)
