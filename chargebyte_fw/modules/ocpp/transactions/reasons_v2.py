"""How the stack's reason for an end reads in OCPP 2.x: input of the stop points, trigger and stopped reason."""

from __future__ import annotations

from chargebyte_fw.contracts.types.authorization import AuthorizationType, ProvidedIdToken
from chargebyte_fw.contracts.types.evse_manager import StopTransactionReason
from chargebyte_fw.contracts.types.system import BootReason
from chargebyte_fw.modules.ocpp.messages.v2.transactions import ReasonEnumType, TriggerReasonEnumType
from chargebyte_fw.modules.ocpp.transactions.tx_points import TxInput

R, T = StopTransactionReason, TriggerReasonEnumType
_TRIGGERS: dict[StopTransactionReason, tuple[TxInput | None, TriggerReasonEnumType]] = {
    R.DeAuthorized: (TxInput.DEAUTHORIZED, T.Deauthorized),
    R.Local: (TxInput.DEAUTHORIZED, T.StopAuthorized),
    R.MasterPass: (TxInput.DEAUTHORIZED, T.StopAuthorized),
    R.StoppedByEV: (TxInput.DEAUTHORIZED, T.StopAuthorized),
    R.Remote: (TxInput.DEAUTHORIZED, T.RemoteStop),
    R.ReqEnergyTransferRejected: (TxInput.DEAUTHORIZED, T.AbnormalCondition),
    R.EVDisconnected: (TxInput.EV_DISCONNECTED, T.EVCommunicationLost),
    R.Reboot: (TxInput.IMMEDIATE_RESET, T.ResetCommand),
    R.HardReset: (TxInput.IMMEDIATE_RESET, T.ResetCommand),
    R.SoftReset: (TxInput.IMMEDIATE_RESET, T.ResetCommand),
    R.UnlockCommand: (TxInput.DEAUTHORIZED, T.UnlockCommand),
    R.EnergyLimitReached: (None, T.EnergyLimitReached),
    R.SOCLimitReached: (None, T.SoCLimitReached),
    R.TimeLimitReached: (None, T.TimeLimitReached),
    R.Timeout: (None, T.EVConnectTimeout),
    R.LocalOutOfCredit: (None, T.ChargingStateChanged),
}
_STOPPED = {reason.value: reason for reason in ReasonEnumType}


def trigger_of(reason: StopTransactionReason | None) -> tuple[TxInput | None, TriggerReasonEnumType]:
    """Return the input of the stop points and the trigger of the last event."""
    return _TRIGGERS.get(reason or R.Local, (None, T.AbnormalCondition))


def authorized_by(token: ProvidedIdToken | None) -> TriggerReasonEnumType:
    """Return the trigger of the authorization: by the CSMS, or here."""
    remote = token is not None and token.authorization_type is AuthorizationType.OCPP
    return T.RemoteStart if remote else T.Authorized


def stopped_reason(reason: StopTransactionReason | None, *, resetting: bool = False) -> ReasonEnumType:
    """Return `stoppedReason`; `resetting`: the CSMS has ordered a reset (B12)."""
    if resetting and reason in (R.Reboot, R.HardReset, R.SoftReset):
        return ReasonEnumType.ImmediateReset
    return ReasonEnumType.Local if reason is None else _STOPPED.get(reason.value, ReasonEnumType.Other)


def interrupted_by(boot_reason: BootReason) -> ReasonEnumType:
    """Return `stoppedReason` of a transaction that an interruption ended: by power, or by the station ([E17.FR.22])."""
    power = boot_reason in (BootReason.PowerUp, BootReason.Unknown)
    return ReasonEnumType.PowerLoss if power else ReasonEnumType.Reboot
