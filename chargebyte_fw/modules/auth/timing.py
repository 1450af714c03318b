"""Bounds of the one timer that is set from outside."""

CONNECTION_TIMEOUT_MIN_S = 10
CONNECTION_TIMEOUT_MAX_S = 300
"""EVerest interface `auth`, command `set_connection_timeout`."""
EVSE_RETRY_S = 1.0
"""How long to wait before an EVSE that did not say its number is asked again."""
STORED_PATIENCE_S = 300.0
"""A kept reservation that seems to be over at the start is judged again when the clock is set within this time: before
NTP a clock may be years ahead."""
MASTER_PASS_LENGTH = 36
"""Longest group identifier (OCPP 2.0.1, MasterPassGroupId)."""
