"""Messages and types that DIN SPEC 70121 and ISO 15118-2 both have, as unions, for code that serves both protocols.

An attribute of such a union is one that both declare. Each protocol's own module constructs the messages.
"""

from __future__ import annotations

from chargebyte_fw.modules.v2g.messages import din, iso2

PhysicalValueType = din.PhysicalValueType | iso2.PhysicalValueType
DC_EVStatusType = din.DC_EVStatusType | iso2.DC_EVStatusType
SAScheduleListType = din.SAScheduleListType | iso2.SAScheduleListType
DC_EVSEStatusType = din.DC_EVSEStatusType | iso2.DC_EVSEStatusType
AC_EVSEStatusType = din.AC_EVSEStatusType | iso2.AC_EVSEStatusType
DC_EVSEChargeParameterType = din.DC_EVSEChargeParameterType | iso2.DC_EVSEChargeParameterType
DC_EVChargeParameterType = din.DC_EVChargeParameterType | iso2.DC_EVChargeParameterType
DC_EVPowerDeliveryParameterType = din.DC_EVPowerDeliveryParameterType | iso2.DC_EVPowerDeliveryParameterType

ChargeParameterDiscoveryRes = din.ChargeParameterDiscoveryRes | iso2.ChargeParameterDiscoveryRes
PowerDeliveryRes = din.PowerDeliveryRes | iso2.PowerDeliveryRes
CableCheckReq = din.CableCheckReq | iso2.CableCheckReq
CableCheckRes = din.CableCheckRes | iso2.CableCheckRes
PreChargeReq = din.PreChargeReq | iso2.PreChargeReq
PreChargeRes = din.PreChargeRes | iso2.PreChargeRes
CurrentDemandReq = din.CurrentDemandReq | iso2.CurrentDemandReq
CurrentDemandRes = din.CurrentDemandRes | iso2.CurrentDemandRes
WeldingDetectionReq = din.WeldingDetectionReq | iso2.WeldingDetectionReq
WeldingDetectionRes = din.WeldingDetectionRes | iso2.WeldingDetectionRes
