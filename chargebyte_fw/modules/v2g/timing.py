"""Constants of time: ISO 15118-2 clause 8.7 and DIN SPEC 70121 clause 9.6."""

V2G_SECC_SEQUENCE_TIMEOUT_S = 60.0
"""How long the charger waits for the next request."""
V2G_SECC_COMMUNICATION_SETUP_S = 18.0
"""From the data link to the first connection."""
CONTACTOR_CLOSE_S = 3.0
"""How long PowerDelivery of an AC session waits for the contactor."""
STOP_CHARGING_GRACE_S = 10.0
"""How long a car may take to end the session after EVSENotification StopCharging."""
CLOSE_AFTER_LAST_RESPONSE_S = 2.0
"""The charger keeps the connection that long after its last response."""

EV_COMMUNICATION_SETUP_S = 20.0
EV_SDP_RETRY_S = 0.25
EV_SDP_RETRIES = 50
EV_ONGOING_S = 60.0
EV_CABLE_CHECK_S = 40.0
EV_PRECHARGE_S = 7.0
EV_RESPONSE_S = {
    "ServiceDetailReq": 5.0,
    "PowerDeliveryReq": 5.0,
    "CurrentDemandReq": 0.25,
}
"""Message time-outs of the car where they differ from the usual two seconds."""
EV_RESPONSE_DEFAULT_S = 2.0
EV_DIN_RESPONSE_S = {"CurrentDemandReq": 0.25}
