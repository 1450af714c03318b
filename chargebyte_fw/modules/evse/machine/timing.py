"""Times, voltages and currents of charging; "std" marks what a standard fixes."""

from __future__ import annotations

T_STEP_EF_S = 4.1
"""Length of state F before the next matching. ISO 15118-3 wants 4 s at least on the pilot, and both its ends get there
through the safety controller's 100 ms cycle."""
T_STEP_EF_AFTER_S = 0.75
"""State X1 after t_step_EF, for the EV to see it."""
T_STEP_X1_S = 3.0
"""std, ISO 15118-3: X1 between 5 % and another duty cycle."""
C_SEQU_RETRY = 2
"""std, ISO 15118-3 [V2G3-M06-07]: error routines (t_step_EF) without a session that lasts; then X1 until a replug."""
LINK_PROVEN_S = 60.0
"""Contactors closed for this long: the next loss of the communication has all its error routines again."""
WAKE_UP_AFTER_S = 30.0
"""PrepareCharging without state C for this long: wake an old EV by one t_step_EF."""
PAUSED_AFTER_WAKE_UP_S = 10.0
"""Still no state C this long after the wake-up: the EV pauses."""
BCB_C_MIN_S = 0.15
BCB_C_MAX_S = 0.45
"""std, ISO 15118-3: length of state C in a BCB toggle."""
BCB_SEQUENCE_S = 3.7
"""std, ISO 15118-3: the toggles' time after the first B to C."""
BCB_PULSES = 3
DUTY_CHANGE_S = 5.0
"""std, IEC 61851-1: least time between two duty cycle changes while charging."""
WAIT_FOR_ENERGY_S = 5.0
"""DC, authorized, no power: wait this long before going on without."""
NO_ENERGY_S = 2.0
"""The energy management answers within its interval of a second; no energy for longer is worth a line in the log."""
WAIT_FOR_SUPPLY_S = 30.0
"""The same while the power supply has not reported its capabilities: it may be starting. An EV waits 60 s to be
authorized."""
HLC_FALLBACK_S = 10.0
"""AC: authorized, matching begun, but no HLC: back to the nominal duty cycle after this long."""
SOC_FALLBACK_S = 40.0
"""The same while the state of charge is read first (`ac_with_soc`), and again after it: matching and V2G session up to
the charge parameters."""
STOPPING_S = 20.0
"""Longest regular stop; then the contactors are opened."""
LEAVE_C_S = 3.0
"""std, IEC 61851-1 sequence 10.1: an EV leaves state C within this long after the PWM went off."""
POWER_OFF_UNDER_LOAD_S = 6.0
"""std, IEC 61851-1 sequence 10.2: an EV that stays in state C after the PWM went off."""
UNLOCK_AFTER_F_S = 5.0
DC_ENFORCE_S = 5.0
"""The EVSE's limits are applied again to the EV's last target."""
DEMAND_PAUSE_S = 0.5
"""From the end of the current demand until it is taken for a renegotiation: HLC reports the end of a whole energy
transfer by two messages, and the second one follows at once."""
RAMP_STEP_S = 0.25
"""Pace at which a rising current is set."""
FIVE_PERCENT = 0.05
SIMPLIFIED_MODE_DUTY = 10.0 / 60.0
"""Duty cycle of 10 A, the most for an EV without state B."""

SAFE_VOLTAGE_V = 60.0
"""std, IEC 61851-23: not hazardous below."""
CABLE_CHECK_CURRENT_A = 2.0
CABLE_CHECK_STEP_S = 10.0
"""Each wait for a voltage in the cable check."""
SELF_TEST_S = 30.0
IMD_SAMPLE_S = 5.0
MEASUREMENT_LOST_S = 2.0
"""A supply that reports nothing for this long while a voltage is awaited has failed."""
EV_MAX_VOLTAGE_WAIT_S = 1.0
EV_MAX_VOLTAGE_DEFAULT_V = 500.0
SUPPLY_OFF_S = 2.0
"""Longest time from the order until a supply reports that it is off. IEC 61851-23 has the output safe 1 s after the
end; a supply reports its values once a second."""
SUPPLY_OFF_AGAIN_S = 2.0
"""Pace of the repeated order to a supply that is on without one: the time it may need to carry it out."""
SUPPLY_OFF_CURRENT_A = 5.0
"""std, IEC 61851-23: contactors may open below this; less is the noise of a measurement."""
SUPPLY_QUIET_S = 10.0
"""A supply that was on without an order must stay off for this long before it is used again."""
INSULATION_FAULT_OHM = 100_000.0
INSULATION_FAULT_MCS_OHM = 125_000.0
EARTH_VOLTAGE_S = 2.0
"""std, IEC 61851-23 6.3.1.112.2: a wrong voltage to earth for this long is a fault."""

PLUG_UNWATCHED_S = 60.0
"""A plug that the board cannot see for this long counts as pulled: the session ends."""
PILOT_FOLLOWS_S = 1.0
"""The board shows the plug again this long after a state F of our own (t_step_EF, the pulse of a fault, the switch of
phases) at most; later another reason hid it. The EV after such a step is the one before."""
FAULT_OVER_S = 2.0
"""After a fault that hid the plug it is over when it has not come back for this long: the first words of a safety
controller after its reset may come before it sees again what it was reset for."""
EV_PROOF_S = 60.0
"""An EV that does not prove within this time that it is still the same one is another one. A new matching
(ISO 15118-3, up to three tries) and a V2G session up to its first message take less."""
CONTACTOR_AFTER_UNPLUG_S = 5.0
"""After the unplug a contactor that is not reported open holds the session for so long only: no energy reaches an EV
any more, and what is wrong is a fault that keeps the next EV from charging."""
ENERGY_REQUEST_S = 1.0
FIRST_BUDGET_S = 120.0
METER_ANSWER_S = 10.0
"""A meter that does not answer a transaction command within this time has failed it."""
SESSION_END_S = CONTACTOR_AFTER_UNPLUG_S + 2 * METER_ANSWER_S + 1.0
"""From the unplug to the end of session and transaction at most, whatever is broken: contactor, meter (asked for the
start and for the end), and a moment for everything else."""
SESSION_END_UNSEEN_S = PLUG_UNWATCHED_S + SESSION_END_S
"""The same if the board cannot see the plug any more."""
