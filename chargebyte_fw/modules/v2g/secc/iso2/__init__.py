"""ISO 15118-2 on the side of the charger.

The session in the order of its messages, each file a base of the next: `setup.py` (SessionSetup, services),
`payment.py` (external or contract, up to the authorization), `certificates.py` (contracts from the back end),
`metering.py` (meter values and their receipts), `session.py` (charge parameters to the end). `ac.py` and `dc.py` are
its energy services, `schedule.py` and `tariff.py` what a car plans by.
"""
