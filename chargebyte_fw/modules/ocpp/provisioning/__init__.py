"""Provisioning: BootNotification, registration, heartbeat and the clock (functional block B, use case G02).

`registration` is what both generations share; `v16.py` and `v2.py` are the blocks. The others learn of it by the events
in `events`.
"""
