"""Bounds of the one timer that is set from outside."""

CONNECTION_TIMEOUT_MIN_S = 10
CONNECTION_TIMEOUT_MAX_S = 300
"""EVerest interface `auth`, command `set_connection_timeout`."""
EVSE_RETRY_S = 1.0
"""How long to wait before an EVSE that did not say its number is asked again."""
MASTER_PASS_LENGTH = 36
"""Longest group identifier (OCPP 2.0.1, MasterPassGroupId)."""
