"""Constants of the SLAC match with the symbols of ISO 15118-3 (Annex A timing tables); times in seconds."""

C_EV_START_ATTEN_CHAR_INDS = 3
"""How often an EV announces its sounds."""
C_EV_MATCH_MNBC = 10
"""How many sounds an EV makes."""
C_EV_MATCH_RETRY = 2
"""How often an unanswered message is sent again."""

TP_EV_BATCH_MSG_INTERVAL_S = 0.020
"""Between two sounds (20 to 50 ms)."""
TT_EV_ATTEN_RESULTS_S = 1.2
"""How long an EV waits for attenuation profiles from the beginning of its sounds on."""
TT_EVSE_MATCH_MNBC_S = 0.6
"""How long an EVSE listens to sounds."""
TT_MATCH_SEQUENCE_S = 0.4
"""How long one side waits for the other's next step."""
TT_MATCH_RESPONSE_S = 0.2
"""How long one side waits for an answer."""
TT_EVSE_MATCH_SESSION_S = 10.0
"""How long an EVSE waits for CM_SLAC_MATCH.REQ once its profile was confirmed."""
TT_EVSE_SLAC_INIT_S = 40.0
"""How long an EVSE waits for the first CM_SLAC_PARM.REQ (20 to 50 s)."""
TT_MATCH_JOIN_S = 12.0
"""How long the link may take from the match on."""
TT_MATCHING_REPETITION_S = 10.0
"""How long an EV whose match failed goes on trying."""
TT_MATCHING_RATE_S = 0.4
"""How long an EV pauses before it tries again."""

FINALIZE_SOUNDING_S = 0.045
"""How long an EVSE lets late sounds settle before it sends its profile."""
MODEM_PROBE_S = 0.1
"""How long a modem may take to answer which vendor's it is."""
LINK_POLL_S = 1.0
"""How often the link is looked at once it was up."""
EV_PARM_TRIES = 100
"""How often an EV asks who is there."""
UNIT_100MS_S = 0.1
"""Unit of time-outs inside MMEs."""
