"""The declared messages, one file per schema set: `sap`, `din`, `iso2` and `xmldsig`, which the others share.

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
tells what arrived. Messages are named like their element, other types like their wire type (the fields that hold them
mostly carry the bare name). Enumerations are `StrEnum`s, octets are `bytes`, a substitution group is a field named like
its head that holds one of the members (`EVSEStatus=DC_EVSEStatusType(...)`).
"""
