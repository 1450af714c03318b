"""The declared messages, one file per schema set: `sap`, `din`, `iso2`, and `xmldsig`, whose types the others use.

ISO 15118-20 has a set for each V2GTP payload type: `iso20_common` (the main stream, with data types in
`iso20_schedules` and `iso20_contracts`), `iso20_ac`, `iso20_dc`, `iso20_wpt`, `iso20_acdp`, and of amendment 1
`iso20_ac_der_iec` and `iso20_ac_der_sae` (with data types in `iso20_der_sae_types`). `iso20_types` has the types that
all of them share.

`common` has the unions of what `din` and `iso2` both declare.

    from chargebyte_fw.modules.v2g.messages import iso2
    iso2.V2G_Message(
        Header=iso2.MessageHeaderType(SessionID=session_id),
        Body=iso2.PreChargeRes(
            ResponseCode=iso2.responseCodeType.OK,
            DC_EVSEStatus=iso2.DC_EVSEStatusType(...),
            EVSEPresentVoltage=iso2.PhysicalValueType(Multiplier=-1, Unit=iso2.unitSymbolType.V, Value=4001),
        ),
    )

`Body` is the body element itself (None: an empty body), so `isinstance(message.Body, iso2.CurrentDemandReq)` or `match`
identifies the message. Messages are named like their element, other types like their type in the schema (fields mostly
have the name without `Type`). Enumerations are `StrEnum`s, octets are `bytes`, a substitution group is a field named
like its head with one of the members as value (`EVSEStatus=DC_EVSEStatusType(...)`).
"""
