"""The sequences of requests of ISO 15118-2, DC and AC (clause 8.8.4)."""

from chargebyte_fw.modules.v2g.secc.common.sequence import DC_SEQUENCE, END, Sequence
from chargebyte_fw.modules.v2g.secc.common.sequence import State as S

_SETUP: Sequence = {
    S.SESSION_SETUP: {"SessionSetupReq": (S.SERVICE_DISCOVERY,)},  # [V2G2-542]
    S.SERVICE_DISCOVERY: {"ServiceDiscoveryReq": (S.SERVICE_SELECTION,), **END},  # [V2G2-544]
    S.SERVICE_SELECTION: {
        "ServiceDetailReq": (),  # [V2G2-547]
        "PaymentServiceSelectionReq": (S.AUTHORIZATION,),  # [V2G2-550]
        **END,
    },
    S.AUTHORIZATION: {"AuthorizationReq": (S.CHARGE_PARAMETERS,), **END},  # [V2G2-562]
}
_STOP_OR_RENEGOTIATE = {"PowerDeliveryReq": (S.STOPPED, S.CHARGE_PARAMETERS)}

DC: Sequence = {
    **_SETUP,
    S.CHARGE_PARAMETERS: {"ChargeParameterDiscoveryReq": (S.CABLE_CHECK,), **END},  # [V2G2-565]
    **DC_SEQUENCE,  # [V2G2-583], [V2G2-586], [V2G2-589], [V2G2-596], [V2G2-570]
    S.CHARGING_FIRST: {"CurrentDemandReq": (S.CHARGING,), **_STOP_OR_RENEGOTIATE},  # [V2G2-592]
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
