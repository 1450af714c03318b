"""DC messages and their types that DIN SPEC 70121 and ISO 15118-2 both have, for code that serves both protocols.

An attribute of such a union is one that both declare. Each protocol's own module constructs the messages.
"""

from __future__ import annotations

from chargebyte_fw.modules.v2g.messages import din, iso2

PhysicalValueType = din.PhysicalValueType | iso2.PhysicalValueType
DC_EVStatusType = din.DC_EVStatusType | iso2.DC_EVStatusType
DC_EVChargeParameterType = din.DC_EVChargeParameterType | iso2.DC_EVChargeParameterType
DC_EVPowerDeliveryParameterType = din.DC_EVPowerDeliveryParameterType | iso2.DC_EVPowerDeliveryParameterType

CableCheckReq = din.CableCheckReq | iso2.CableCheckReq
CableCheckRes = din.CableCheckRes | iso2.CableCheckRes
PreChargeReq = din.PreChargeReq | iso2.PreChargeReq
PreChargeRes = din.PreChargeRes | iso2.PreChargeRes
CurrentDemandReq = din.CurrentDemandReq | iso2.CurrentDemandReq
CurrentDemandRes = din.CurrentDemandRes | iso2.CurrentDemandRes
WeldingDetectionReq = din.WeldingDetectionReq | iso2.WeldingDetectionReq
WeldingDetectionRes = din.WeldingDetectionRes | iso2.WeldingDetectionRes
