"""Times of the boot loader's protocol and of the lines that lead into it, in seconds."""

from __future__ import annotations

RESET_HOLD_S = 0.5  # how long the reset line is pulled while the mode line selects what starts (adjustable)
READY_AFTER_RESET_S = 0.3  # the application answers this long after the reset line is released
SETTLE_S = 0.5  # from opening the port at the first rate to the first byte
PULSE_PAUSE_S = 0.1  # between the two zero bytes that show the loader our rate
REPLY_S = 0.5  # a reply has come within
ERASE_S = 20.0  # erasing a whole area: 64 blocks of the code flash at several tenths of a second each, at the worst
SWITCH_S = 0.01  # from switching our rate to the next command
ANSWER_S = 0.35  # the application's answer to an inquiry (specified are 30 ms)
ANSWER_TRIES = 3  # an inquiry that comes a moment before the application is ready is lost

FIRST_BAUD = 9600
BAUD = 115200
