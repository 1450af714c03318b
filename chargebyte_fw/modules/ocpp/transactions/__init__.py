"""Transactions: when they begin and end, and what the CSMS is sent of them (functional block E; OCPP 1.6 §4.8, §4.10).

`tx_points` decides the beginning and the end of a transaction of OCPP 2.x; `v16.py` and `v2.py` are the blocks.
"""
