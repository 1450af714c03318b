"""The dead man's handle: which control frame goes out next, and whether the one who set it is still alive.

One writer (the event loop) sets images and proves that it lives; one reader (the link's thread) asks what is due. No
lock: each side only replaces whole values, and an image from before a trip is recognised by its epoch.
"""

from __future__ import annotations

from chargebyte_fw.board.link.messages.charge_som import ChargeControl
from chargebyte_fw.board.link.messages.framing import encode_message

ZERO_IMAGE = ChargeControl()
"""After every open and reset: pilot at 0 V, every contactor open."""
SAFE_IMAGE = ChargeControl(pwm_active=True, duty_percent=0.0)
"""When the handle is not held: pilot F (not available), every contactor open."""
ZERO_FRAME = encode_message(ZERO_IMAGE)
SAFE_FRAME = encode_message(SAFE_IMAGE)


class Cycle:
    """Sends the last control image every `period_s` while its owner lives, the safe image otherwise.

    After a trip only an image of the new `epoch` counts; the owner gets the epoch with the report of the trip, and so
    cannot close a contactor again by an order it gave before. All times are seconds of the one who calls `due`.
    """

    def __init__(self, period_s: float, dead_man_s: float) -> None:
        self.period_s = period_s
        self.dead_man_s = dead_man_s
        self.running = False
        self.epoch = 0
        self.next_due = 0.0
        self._image: tuple[int, bytes] = (0, ZERO_FRAME)
        self._at_once = False
        self._proof_at = 0.0

    def start(self, now: float) -> None:
        """Begin with the image at zero; the first frame is due at once."""
        self._image = (self.epoch, ZERO_FRAME)
        self._proof_at = now
        self.next_due = now
        self.running = True

    def stop(self) -> None:
        """Send nothing any more and forget the image."""
        self.running = False
        self._image = (self.epoch, ZERO_FRAME)

    def prove(self, now: float) -> None:
        """Hold the handle: the owner is alive at `now`."""
        self._proof_at = now

    def set_image(self, control: ChargeControl, epoch: int) -> bytes:
        """Send this image from now on, the first time at once; returns its frame."""
        frame = encode_message(control)
        self._image = (epoch, frame)
        self._at_once = True
        return frame

    def due(self, now: float) -> bytes | None:
        """Return the frame to send now, or None when none is due."""
        if not self.running:
            return None
        if now < self.next_due and not self._at_once:
            return None
        self._at_once = False
        if now >= self.next_due:
            # A late tick does not shift the ones after it; after a long pause the cycle begins anew.
            self.next_due = max(self.next_due + self.period_s, now + self.period_s / 2)
        if now - self._proof_at > self.dead_man_s and self._image[0] == self.epoch:
            self.epoch += 1
        epoch, frame = self._image
        return frame if epoch == self.epoch else SAFE_FRAME
