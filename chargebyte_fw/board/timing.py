"""Times of the safety controller's link and of the driver, in seconds."""

CYCLE_S = 0.1  # period of ChargeControl, and of ChargeState and Pt1000State in the other direction
RESET_PULSE_S = 0.005  # how long the reset line is pulled
READY_AFTER_RESET_S = 0.3  # the safety controller answers this long after the reset line is released
INQUIRY_TIMEOUT_S = 1.0  # specified are 30 ms; the shipped drivers wait this long
INQUIRY_TRIES = 3
RECEIVE_TIMEOUT_S = 1.0  # no ChargeState for this long: the link is lost
ACTION_TIMEOUT_S = 1.0  # an action request is confirmed within
SELF_TEST_LIMIT_S = 10.0  # a commanded RCM self-test has ended after this long in any case
DUTY_CONFIRM_S = 1.0  # the actual duty cycle has followed after
TEMPERATURES_S = 1.0  # period of the variable `temperatures`
STOP_CONFIRM_S = 0.5  # how long a stopping driver waits to see contactors open and pilot F
RECONNECT_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 10.0)  # between attempts to get a lost link back
SAFE_STATE_PAUSES_S = (5.0, 10.0, 20.0, 40.0, 60.0)  # between attempts to lead the controller out of its safe state

HEARTBEAT_S = 0.1  # real seconds: how often the event loop proves that it is alive
DEAD_MAN_S = 0.5  # real seconds without proof: the link thread sends the safe image
REAL_PATIENCE_S = 0.4  # real seconds that a time-out of the link lasts at least, however fast the clock is set
