"""SessionInfo: the state after each event; energy and duration stand still outside the charging states."""

from __future__ import annotations

from typing import Any

import pytest

from chargebyte_fw.contracts.types.evse_manager import (
    SessionEvent,
    SessionEventEnum,
    SessionStarted,
    StartSessionReason,
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
    info = SessionInfo(phase_switching_is_a_state=True)
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


# The state follows from what is known, not from the last event.


def after(*kinds: SessionEventEnum | SessionEvent, phase_switching_is_a_state: bool = False) -> SessionState:
    info = SessionInfo(phase_switching_is_a_state=phase_switching_is_a_state)
    for kind in kinds:
        info.take_event(kind if isinstance(kind, SessionEvent) else event(kind), 0.0)
    return info.state


AUTHORIZED_FIRST = event(
    E.SessionStarted,
    session_started=SessionStarted(
        reason=StartSessionReason.Authorized, meter_value=meter(0.0), id_tag=started(0.0).id_tag
    ),
)
LOCAL_STOP = event(
    E.TransactionFinished,
    transaction_finished=TransactionFinished(meter_value=meter(0.0), reason=StopTransactionReason.Local),
)


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((E.Enabled, E.SessionStarted, E.ChargingStarted, E.StoppingCharging, E.Enabled), S.FinishedEV),
        ((E.Enabled, E.SessionStarted, LOCAL_STOP, E.Enabled), S.FinishedEVSE),
        ((E.Enabled, E.ReservationStart, E.SessionStarted, E.AuthRequired, E.ReservationEnd), S.AuthRequired),
        ((E.Enabled, E.ReservationStart, E.SessionStarted, E.SessionFinished), S.Unplugged),
        ((E.Enabled, E.ReservationStart, E.Enabled), S.Reserved),
        ((E.Disabled, E.ReservationEnd), S.Disabled),
        ((E.Enabled, E.SessionStarted, E.Disabled, E.SessionFinished), S.Disabled),
        ((E.Disabled, E.Enabled), S.Unplugged),
        ((E.Enabled, AUTHORIZED_FIRST, E.Authorized, E.AuthRequired), S.Preparing),
        ((E.Enabled, E.SessionStarted, E.AuthRequired, E.Authorized), S.Preparing),
        ((E.Enabled, E.SessionStarted, E.AuthRequired, E.PluginTimeout, E.Authorized), S.Preparing),
        ((E.Enabled, E.SessionStarted, E.AuthRequired, E.Authorized, E.Deauthorized), S.AuthRequired),
        ((E.Enabled, E.SessionStarted, E.TransactionStarted, E.ChargingStarted, E.Deauthorized), S.Charging),
        ((E.SessionResumed, LOCAL_STOP), S.Unknown),
        ((E.SessionResumed, LOCAL_STOP, E.Enabled), S.Unplugged),
    ],
)
def test_an_evse_is_shown_free_only_if_it_is(events: tuple[Any, ...], state: SessionState) -> None:
    assert after(*events) is state


@pytest.mark.parametrize(
    ("last", "state"),
    [(E.Authorized, S.Preparing), (E.Deauthorized, S.AuthRequired), (E.SwitchingPhases, S.Charging)],
)
def test_a_client_interface_that_starts_in_a_session_knows_its_state(
    last: SessionEventEnum, state: SessionState
) -> None:
    assert after(last) is state
    if last is E.SwitchingPhases:
        assert after(last, phase_switching_is_a_state=True) is S.SwitchingPhases
