"""Constants of time: ISO 15118-2 clause 8.7 and DIN SPEC 70121 clause 9.6."""

V2G_SECC_SEQUENCE_TIMEOUT_S = 60.0
"""How long the charger waits for the next request."""
V2G_SECC_COMMUNICATION_SETUP_S = 18.0
"""From the data link to the first connection (ISO 15118-2 table 109)."""
DATA_LINK_SETUP_S = 12.0
"""From the match to the data link at most (ISO 15118-3 TT_match_join): a modem's link is not watched by default."""
CONNECT_AFTER_SDP_S = 5.0
"""A car that was just answered has this long to connect (-2: its TCP retries), whatever the time above says."""
CONNECT_AFTER_SDP_AT_MOST_S = 20.0
"""For so long at most (V2G_EVCC_CommunicationSetup): asking without end does not keep the door open."""
V2G_SECC_MSG_PERFORMANCE_S = 1.5
"""How long the charger may take for the answer to an ordinary request."""
CONTACTOR_CLOSE_S = 3.0
"""How long PowerDelivery of an AC session waits for the contactor (its answer is due after 4.5 s)."""
STOP_CHARGING_GRACE_S = 10.0
"""How long a car may take to end the session after EVSENotification StopCharging."""
CLOSE_AFTER_LAST_RESPONSE_S = 2.0
"""The charger keeps the connection that long after its last response."""
WAIT_FOR_FIN_S = 3.0
"""And that long again for the car's own end after the charger shut its side down."""

V2G_EVCC_COMMUNICATION_SETUP_S = 20.0
"""From the data link to SessionSetupRes."""
V2G_EVCC_ONGOING_S = 60.0
"""How long the charger may say Ongoing (authorization, charge parameters)."""
V2G_EVCC_CABLE_CHECK_S = 40.0
V2G_EVCC_PRECHARGE_S = 7.0
V2G_EVCC_READY_TO_CHARGE_S = 150.0
"""DIN 70121: from the session's setup to PowerDeliveryRes."""
SDP_RETRY_S = 0.25
SDP_RETRIES = 50

_MSG_TIMEOUT_S = 2.0
_MSG_TIMEOUTS_S = {
    "din": {"CurrentDemandReq": 0.25},
    "iso2": {
        "ServiceDetailReq": 5.0,
        "PaymentDetailsReq": 5.0,
        "CertificateInstallationReq": 5.0,
        "CertificateUpdateReq": 5.0,
        "PowerDeliveryReq": 5.0,
        "CurrentDemandReq": 0.25,
    },
}


def message_timeout_s(schema_set: str, request: str) -> float:
    """Return V2G_EVCC_Msg_Timeout: how long the car waits for the response to `request`."""
    return _MSG_TIMEOUTS_S.get(schema_set, {}).get(request, _MSG_TIMEOUT_S)
