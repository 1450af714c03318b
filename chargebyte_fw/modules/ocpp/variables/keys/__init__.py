"""The configuration keys of OCPP 1.6, as a view of the device model.

`key` has how a key is declared, `table` the declarations, `checks` what the values of single keys must be, `virtual`
the keys that are computed from others, `configuration` reads and sets them, `block` answers the CSMS.
"""
