"""Availability: the state of connectors and who changed it (functional block G; OCPP 1.6 §4.9, §5.2).

`connector_states` is the state machine of a connector of OCPP 1.6; `v16.py` and `v2.py` are the blocks.
"""
