"""The charging kernel of one EVSE: from the pilot's meaning to the session, in small coupled machines."""
