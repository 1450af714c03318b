"""Who may charge where: tokens, their validation, the EVSE they are used at, and reservations."""
