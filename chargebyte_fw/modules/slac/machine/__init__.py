"""The rules of SLAC, pure: `evse.py` is the charger, `matching.py` its session with one EV, `ev.py` the car."""
