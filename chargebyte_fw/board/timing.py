"""Times of the safety controller's link and of the driver, in seconds."""

from __future__ import annotations

CYCLE_S = 0.1  # period of ChargeControl, and of ChargeState and Pt1000State in the other direction
RESET_PULSE_S = 0.005  # how long the reset line is pulled
READY_AFTER_RESET_S = 0.3  # the safety controller answers this long after the reset line is released
INQUIRY_TIMEOUT_S = 1.0  # specified are 30 ms; the shipped drivers wait this long
INQUIRY_TRIES = 3
RECEIVE_TIMEOUT_S = 1.0  # no ChargeState for this long: the link is lost
ACTION_TIMEOUT_S = 1.0  # an action request is confirmed within
SELF_TEST_LIMIT_S = 10.0  # a commanded RCM self-test has ended after this long in any case
DUTY_CONFIRM_S = 1.0  # the actual duty cycle has followed after
TEMPERATURES_S = 1.0  # period of the variables `temperatures` and `telemetry`
STOP_CONFIRM_S = 0.5  # how long a stopping driver waits to see contactors open and pilot F
RECONNECT_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)  # between attempts to get a lost link back
SAFE_STATE_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)  # between attempts to lead the controller out of its safe state
SAFE_STATE_CALM_S = 10.0  # a controller that was out of its safe state for this long gets its first pauses back
PLUG_LOOK_S = 5.0  # the longest of them while a car was seen last: only after a reset can its unplug be seen
CONTACTOR_SETTLE_S = 0.1  # how long a contactor without feedback is given to have followed its order
CONTACTOR_LIMIT_S = 1.0  # a contactor with feedback has followed its order within
OPENING_LIMIT_S = 0.3  # how long the secondary waits for the primary to open, at most
SWITCH_STOP_S = 6.0  # how long a car may go on drawing after the pulse width modulation has ended (IEC 61851-1, 10.2)
SWITCH_PAUSE_S = 3.0  # how long the car is off the grid while phases are switched
STOP_INPUT_POLL_S = 0.05  # how often an input without events of its own is read
STOP_INPUT_DEBOUNCE_S = 0.05  # how long an input has held its level when it counts
LOCK_TRIES = 3  # attempts to have a plug lock's order accepted
LOCK_PAUSE_S = 0.5  # between them
LOCK_LIMIT_S = 6.0  # a plug lock has moved within (a parameter block allows up to 2.55 s a way)
ASKED_RESET_PAUSE_S = 2.0  # between two resets that `cp_state_X1` asks for, or after an emergency input was released

HEARTBEAT_S = 0.1  # real seconds: how often the event loop proves that it is alive
DEAD_MAN_S = 0.5  # real seconds without proof: the link thread sends the safe image
REAL_PATIENCE_S = 0.4  # real seconds that a time-out of the link lasts at least, however fast the clock is set
FASTEST_CYCLE_S = 0.02  # real seconds: a period is never shorter, however fast the clock is set


def patient(timeout_s: float, speed: float | None) -> float:
    """Return a time-out in the clock's seconds that is also REAL_PATIENCE_S long in real ones (`speed` None: virtual).

    The two sides of the link run in two processes: a fast clock must not make their scheduling look like a fault.
    """
    return timeout_s if speed is None else max(timeout_s, REAL_PATIENCE_S * speed)


def ready_after_reset(speed: float | None) -> float:
    """Return how long to leave a controller alone after its reset: the release takes a moment to reach it."""
    return READY_AFTER_RESET_S + (0.0 if speed is None else FASTEST_CYCLE_S * speed)


def period(period_s: float, speed: float | None) -> float:
    """Return a period in the clock's seconds that is at least FASTEST_CYCLE_S of real ones (`speed` None: virtual)."""
    return period_s if speed is None else max(period_s, FASTEST_CYCLE_S * speed)
