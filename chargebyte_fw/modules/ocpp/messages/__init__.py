"""Messages of OCPP 1.6, 2.0.1 and 2.1, typed and declared once.

`model` has the words of the declarations, `v16` and `v2` the messages of the versions, `schema` what others use: the
catalogue of a version, `decode_request`, `decode_response` and `encode`.

An attribute is the wire's name in snake case, with the unit where the member has one (`interval_s`); where that is not
the name on the wire, the wire's name stands at the field. Types and enumerations have the names of the standard.
"""
