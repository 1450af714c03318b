"""The rules of SLAC without hands: `evse.py` is the charger, `matching.py` its talk with one EV, `ev.py` the car."""
