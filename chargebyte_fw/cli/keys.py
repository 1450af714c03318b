"""Keys and screen of a terminal, which is given back as it was found, however one leaves."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import termios
import tty
from collections.abc import Callable, Iterator

_FINALS = {"A": "up", "B": "down", "C": "right", "D": "left"}
ENDS = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals that end a screen; Ctrl-C comes as KeyboardInterrupt."""
LONGEST = 16
"""Characters of an escape sequence at most; a longer one is none."""


class KeyNames:
    """Makes names of what a terminal sends: a printable character is itself, arrows are `up`, `down`, `left`, `right`.

    A sequence may come in pieces (a slow serial line); one that is not known is left out.
    """

    def __init__(self) -> None:
        self._begun = ""

    def take(self, text: str) -> list[str]:
        """Return the names of the keys that are complete."""
        found = []
        for character in text:
            if self._begun:
                if (name := self._continue(character)) is not None:
                    found.append(name)
            elif character == "\x1b":
                self._begun = character
            elif character.isprintable():
                found.append("space" if character == " " else character)
            elif character in "\r\n":
                found.append("enter")
        return found

    def _continue(self, character: str) -> str | None:
        begun = self._begun = self._begun + character
        if len(begun) == 2 and character in "[O":
            return None
        # ISO/IEC 6429, 5.4: parameters and intermediates, then one final character.
        if len(begun) > 2 and not "@" <= character <= "~" and len(begun) < LONGEST:
            return None
        self._begun = "\x1b" if character == "\x1b" else ""
        return _FINALS.get(character) if len(begun) > 2 else None


@contextlib.contextmanager
def keys_of(descriptor: int, press: Callable[[str], None], end: Callable[[], None]) -> Iterator[None]:
    """Call `press(name)` for each key of this terminal, `end` when it hangs up; without a terminal there are no keys.

    What the terminal was set to is restored on every way out, and while the program is stopped (Ctrl-Z).
    """
    if not os.isatty(descriptor):
        yield
        return
    before = termios.tcgetattr(descriptor)
    names = KeyNames()
    loop = asyncio.get_running_loop()

    def typed() -> None:
        try:
            octets = os.read(descriptor, 256)
        except OSError:
            octets = b""
        if not octets:
            loop.remove_reader(descriptor)
            end()
            return
        for name in names.take(octets.decode("utf-8", "replace")):
            press(name)

    def restore() -> None:
        # A terminal that has hung up has no settings any more.
        with contextlib.suppress(termios.error, OSError):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)

    def stop() -> None:
        press("stop")
        restore()
        os.kill(os.getpid(), signal.SIGSTOP)

    def go_on() -> None:
        tty.setcbreak(descriptor)
        press("continue")

    try:
        tty.setcbreak(descriptor)
        loop.add_reader(descriptor, typed)
        loop.add_signal_handler(signal.SIGTSTP, stop)
        loop.add_signal_handler(signal.SIGCONT, go_on)
        yield
    finally:
        loop.remove_reader(descriptor)
        for number in (signal.SIGTSTP, signal.SIGCONT):
            loop.remove_signal_handler(number)
        restore()


@contextlib.contextmanager
def ended_by(end: Callable[[], None]) -> Iterator[None]:
    """Call `end` for a signal that would end the program in the middle of a screen."""
    loop = asyncio.get_running_loop()
    for number in ENDS:
        loop.add_signal_handler(number, end)
    try:
        yield
    finally:
        for number in ENDS:
            loop.remove_signal_handler(number)


class Painter:
    """Writes a screen: of what is on it only the lines that have changed, since a serial console is slow."""

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._size: tuple[int, int] | None = None

    def forget(self) -> None:
        """Write everything the next time: something else has written on the terminal."""
        self._size = None

    def paint(self, lines: list[str], size: tuple[int, int]) -> str:
        """Return what to write so that these lines are shown; `size` are columns and rows."""
        written = []
        if size != self._size:
            written.append("\x1b[?25l\x1b[2J")
            self._shown, self._size = [], size
        for at, line in enumerate(lines):
            if at >= len(self._shown) or self._shown[at] != line:
                written.append(f"\x1b[{at + 1};1H{line}\x1b[K")
        if len(lines) < len(self._shown):
            written.append(f"\x1b[{len(lines) + 1};1H\x1b[J")
        self._shown = list(lines)
        return "".join(written)

    def leave(self) -> str:
        """Return what to write at the end: the cursor is shown again, below what was shown."""
        if self._size is None:
            return ""
        row = min(len(self._shown) + 1, self._size[1])
        self._size = None
        return f"\x1b[{row};1H\x1b[?25h\x1b[0m\n"
