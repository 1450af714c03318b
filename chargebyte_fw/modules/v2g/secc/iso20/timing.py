"""Constants of time of ISO 15118-20."""

EIM_AUTHORIZATION_S = 180.0
"""How long a car gets Ongoing while it waits for an authorization by external means."""
ONGOING_S = 55.0
"""How long it gets Ongoing in any other exchange (the car waits 60 s)."""
CONTACTOR_CLOSE_S = 1.4
"""How long PowerDelivery of an AC session waits for the contactor (its answer is due after 1.5 s)."""
MSG_PERFORMANCE_S = 1.5
"""How long the charger may take for the answer to an ordinary request."""
EXPIRES_SOON_S = 14 * 86_400.0
"""A contract that ends earlier gets OK_CertificateExpiresSoon, so that the car may install a new one."""
PROFILE_GRACE_S = 5.0
"""How long a car may be beyond its power profile before it is warned: it ramps down meanwhile."""
PAUSE_DELAY_S = 60
"""NotificationMaxDelay of a pause that the charger wants."""
ACK_MAX_DELAY_S = 30
"""AckMaxDelay in Dynamic control: how long the car may take to confirm mobility needs that the charger has set."""
