"""Bounds of commands, and times of the start."""

CONNECTION_TIMEOUT_MIN_S = 10
CONNECTION_TIMEOUT_MAX_S = 300
"""EVerest interface `auth`, command `set_connection_timeout`."""
EVSE_RETRY_S = 1.0
"""Between two questions to an EVSE that has not reported its number, in s."""
STORED_PATIENCE_S = 300.0
"""How long a stored reservation that has expired at the start is kept for a clock that is set, in s: before NTP it may
be years ahead."""
MASTER_PASS_LENGTH = 36
"""Longest group identifier (OCPP 2.0.1, MasterPassGroupId)."""
