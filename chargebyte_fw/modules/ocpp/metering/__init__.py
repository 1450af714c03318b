"""Meter values: from a powermeter's reading to what the CSMS asked for (functional block J; OCPP 1.6 §4.7, §5.3).

`samples` has the measurands of a reading, `aligned` the clock-aligned intervals and their averages. `v16.py` and
`v2.py` write them as each generation does.
"""
