"""ISO 15118-20 on the side of the charger.

`sequence.py` has the requests of each state. The session is put together from one file a subject: `setup.py`,
`authorization.py`, `services.py`, `schedule.py`, `power_delivery.py`, `stop.py`; `base.py` has the checks that come
before each of them. The energy service that the car chose is `dc.py` or `ac.py`.
"""
