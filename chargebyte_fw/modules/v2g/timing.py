"""Constants of time that the protocols share: ISO 15118-2 clause 8.7 and DIN SPEC 70121 clause 9.6."""

V2G_SECC_SEQUENCE_TIMEOUT_S = 60.0
"""How long the charger waits for the next request ([V2G2-713], [V2G-DC-432])."""
V2G_SECC_COMMUNICATION_SETUP_S = 18.0
"""From the data link to the first connection (ISO 15118-2 table 109, [V2G2-723])."""
DATA_LINK_SETUP_S = 12.0
"""From the match to the data link at most (ISO 15118-3 TT_match_join): a modem's link is not watched by default."""
CONNECT_AFTER_SDP_S = 5.0
"""A car that was just answered has this long to connect (-2: its TCP retries), whatever the time above is."""
CONNECT_AFTER_SDP_AT_MOST_S = 20.0
"""For so long at most (V2G_EVCC_CommunicationSetup): asking without end does not keep the access open."""
V2G_SECC_MSG_PERFORMANCE_S = 1.5
"""How long the charger may take for the answer to an ordinary request."""
CERTIFICATE_PERFORMANCE_S = 4.5
"""And for the answers that need a certificate store or a back end: PaymentDetails, CertificateInstallation, -Update
(ISO 15118-2 table 109)."""
CONTACTOR_CLOSE_S = 3.0
"""How long PowerDelivery of an AC session waits for the contactor (its answer is due after 4.5 s)."""
STOP_CHARGING_GRACE_S = 10.0
"""How long a car may take to end the session after EVSENotification StopCharging."""
REFUSED_AT_MOST_S = 60.0
"""A car that gets nothing but FAILED for this long, and goes on all the same, is left."""
READY_TO_CHARGE_S = 150.0
"""From the first request of the cable check to PowerDelivery at most (DIN SPEC 70121 V2G_EVCC_ReadyToCharge): a car has
given up before, and one that has not is under voltage for no good."""
CLOSE_AFTER_LAST_RESPONSE_S = 2.0
"""The charger keeps the connection that long after its last response: the car closes first ([V2G2-025])."""
WAIT_FOR_FIN_S = 3.0
"""And that long again for the car's own end after the charger shut its side down."""

V2G_EVCC_COMMUNICATION_SETUP_S = 20.0
"""From the data link to SessionSetupRes."""
V2G_EVCC_ONGOING_S = 60.0
"""How long the charger may answer Ongoing (authorization, charge parameters)."""
V2G_EVCC_CABLE_CHECK_S = 40.0
V2G_EVCC_PRECHARGE_S = 7.0
V2G20_EVCC_PRECHARGE_S = 10.0
"""The same in ISO 15118-20."""
V2G20_EVCC_LOOP_TIMEOUT_S = 0.5
"""How long the car waits for a response in the charge loop (ISO 15118-20 table 215)."""
SDP_RETRY_S = 0.25
SDP_RETRIES = 50
V2G_EVCC_MSG_TIMEOUT_S = 2.0
"""How long the car waits for a response, but for those that a protocol names otherwise."""
