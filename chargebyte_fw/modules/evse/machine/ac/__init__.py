"""The machines that only an AC EVSE has."""
