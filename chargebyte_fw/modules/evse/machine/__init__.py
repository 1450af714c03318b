"""The state machines of one EVSE: pure, coupled in `composite.py`; events in, effects out."""
