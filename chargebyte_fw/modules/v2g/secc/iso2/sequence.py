"""The sequences of requests of ISO 15118-2, DC and AC (clause 8.8.4)."""

from chargebyte_fw.modules.v2g.secc.common.sequence import DC_SEQUENCE, END, Sequence
from chargebyte_fw.modules.v2g.secc.common.sequence import State as S

_SETUP: Sequence = {
    S.SESSION_SETUP: {"SessionSetupReq": (S.SERVICE_DISCOVERY,)},
    S.SERVICE_DISCOVERY: {"ServiceDiscoveryReq": (S.SERVICE_SELECTION,), **END},
    S.SERVICE_SELECTION: {"ServiceDetailReq": (), "PaymentServiceSelectionReq": (S.AUTHORIZATION,), **END},
    S.AUTHORIZATION: {"AuthorizationReq": (S.CHARGE_PARAMETERS,), **END},
}
_STOP_OR_RENEGOTIATE = {"PowerDeliveryReq": (S.STOPPED, S.CHARGE_PARAMETERS)}

DC: Sequence = {
    **_SETUP,
    S.CHARGE_PARAMETERS: {"ChargeParameterDiscoveryReq": (S.CABLE_CHECK,), **END},
    **DC_SEQUENCE,
    S.CHARGING_FIRST: {"CurrentDemandReq": (S.CHARGING,), **_STOP_OR_RENEGOTIATE},
    S.CHARGING: {"CurrentDemandReq": (), **_STOP_OR_RENEGOTIATE},  # [V2G2-580]
}

AC: Sequence = {
    **_SETUP,
    S.CHARGE_PARAMETERS: {"ChargeParameterDiscoveryReq": (S.POWER_DELIVERY,), **END},
    S.POWER_DELIVERY: {"PowerDeliveryReq": (S.CHARGING_FIRST, S.STOPPED), **END},  # [V2G2-576]
    S.CHARGING_FIRST: {"ChargingStatusReq": (S.CHARGING,), **_STOP_OR_RENEGOTIATE},
    S.CHARGING: {"ChargingStatusReq": (), **_STOP_OR_RENEGOTIATE},  # [V2G2-577]
    S.STOPPED: END,  # [V2G2-568]
    S.ENDED: {},
}
