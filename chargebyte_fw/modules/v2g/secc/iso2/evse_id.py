"""EVSEID of SessionSetupRes in ISO 15118-2 (clause 8.4.3.2)."""

NO_EVSE_ID = "ZZ00000"
"""The EVSE id of a charger that has none."""


def is_evse_id(text: str) -> bool:
    """Return whether the schema can carry an EVSE id: 7 to 37 characters."""
    return 7 <= len(text) <= 37
