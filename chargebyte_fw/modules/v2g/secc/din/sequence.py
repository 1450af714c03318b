"""The sequence of requests of DIN SPEC 70121 (clause 9.5)."""

from chargebyte_fw.modules.v2g.secc.common.sequence import DC_SEQUENCE, END, Sequence
from chargebyte_fw.modules.v2g.secc.common.sequence import State as S

SEQUENCE: Sequence = {
    S.SESSION_SETUP: {"SessionSetupReq": (S.SERVICE_DISCOVERY,)},  # [V2G-DC-438]
    S.SERVICE_DISCOVERY: {"ServiceDiscoveryReq": (S.SERVICE_SELECTION,), **END},  # [V2G-DC-441]
    S.SERVICE_SELECTION: {
        "ServiceDetailReq": (),
        "ServicePaymentSelectionReq": (S.AUTHORIZATION,),  # [V2G-DC-444]
        **END,
    },
    S.AUTHORIZATION: {"ContractAuthenticationReq": (S.CHARGE_PARAMETERS,), **END},  # [V2G-DC-497]
    S.CHARGE_PARAMETERS: {
        "ChargeParameterDiscoveryReq": (S.CABLE_CHECK, S.STOPPED),  # [V2G-DC-453]; STOPPED: no energy
        **END,
    },
    **DC_SEQUENCE,  # [V2G-DC-499], [V2G-DC-458], [V2G-DC-459], [V2G-DC-469], [V2G-DC-451]
    S.CHARGING_FIRST: {"CurrentDemandReq": (S.CHARGING,), "PowerDeliveryReq": (S.STOPPED,)},  # [V2G-DC-462]
    S.CHARGING: {"CurrentDemandReq": (), "PowerDeliveryReq": (S.STOPPED,)},  # [V2G-DC-465]
}
