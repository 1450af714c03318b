"""The sequences of requests of ISO 15118-2, DC and AC (clause 8.8.4)."""

from chargebyte_fw.modules.v2g.secc.common import sequence as common
from chargebyte_fw.modules.v2g.secc.common.sequence import DC_SEQUENCE, END, Sequence
from chargebyte_fw.modules.v2g.secc.common.sequence import State as S

_CERTIFICATES = dict.fromkeys(("CertificateInstallationReq", "CertificateUpdateReq"), (S.CONTRACT_INSTALLED,))

_SETUP: Sequence = {
    S.SESSION_SETUP: {"SessionSetupReq": (S.SERVICE_DISCOVERY,)},  # [V2G2-542]
    S.SERVICE_DISCOVERY: {"ServiceDiscoveryReq": (S.SERVICE_SELECTION,), **END},  # [V2G2-544]
    S.SERVICE_SELECTION: {
        "ServiceDetailReq": (),  # [V2G2-547]
        "PaymentServiceSelectionReq": (S.AUTHORIZATION, S.PAYMENT_DETAILS),  # [V2G2-550], [V2G2-551]
        **END,
    },
    S.PAYMENT_DETAILS: {"PaymentDetailsReq": (S.AUTHORIZATION,), **_CERTIFICATES, **END},
    S.CONTRACT_INSTALLED: {"PaymentDetailsReq": (S.AUTHORIZATION,), **END},
    S.AUTHORIZATION: {"AuthorizationReq": (S.CHARGE_PARAMETERS,), **END},  # [V2G2-562]
}
_STOP_OR_RENEGOTIATE = {"PowerDeliveryReq": (S.STOPPED, S.CHARGE_PARAMETERS)}
_RECEIPT: Sequence = {S.RECEIPT: {"MeteringReceiptReq": (S.CHARGING,)}}
_EARLY_STOP: Sequence = {S.RECEIPT: {"PowerDeliveryReq": (S.STOPPED,)}}

DC: Sequence = {
    **_SETUP,
    S.CHARGE_PARAMETERS: {"ChargeParameterDiscoveryReq": (S.CABLE_CHECK,), **END},  # [V2G2-565]
    **DC_SEQUENCE,  # [V2G2-583], [V2G2-586], [V2G2-589], [V2G2-596], [V2G2-570]
    S.CHARGING_FIRST: {"CurrentDemandReq": (S.CHARGING, S.RECEIPT), **_STOP_OR_RENEGOTIATE},  # [V2G2-592]
    S.CHARGING: {"CurrentDemandReq": (S.RECEIPT,), **_STOP_OR_RENEGOTIATE},  # [V2G2-580]
    **_RECEIPT,
}
DC_EARLY_STOP: Sequence = {**common.EARLY_STOP, **_EARLY_STOP}

AC: Sequence = {
    **_SETUP,
    S.CHARGE_PARAMETERS: {"ChargeParameterDiscoveryReq": (S.POWER_DELIVERY,), **END},
    S.POWER_DELIVERY: {"PowerDeliveryReq": (S.CHARGING_FIRST, S.STOPPED), **END},  # [V2G2-576]
    S.CHARGING_FIRST: {"ChargingStatusReq": (S.CHARGING, S.RECEIPT), **_STOP_OR_RENEGOTIATE},
    S.CHARGING: {"ChargingStatusReq": (S.RECEIPT,), **_STOP_OR_RENEGOTIATE},  # [V2G2-577]
    **_RECEIPT,
    S.STOPPED: END,  # [V2G2-568]
    S.ENDED: {},
}
AC_EARLY_STOP: Sequence = _EARLY_STOP
