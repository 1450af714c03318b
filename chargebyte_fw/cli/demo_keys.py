"""What is typed to a demo: lines from a pipe, or keys of a terminal, whose line the screen draws itself."""

from __future__ import annotations

import asyncio
import codecs
import os
import re
import sys
import termios
from collections.abc import Callable

_SEQUENCE = re.compile("\x1b(?:\\[[0-9;]*[A-Za-z~]|O.|)")
"""What a key without a character sends."""
_UP, _DOWN = "\x1b[A", "\x1b[B"
_BACKSPACE, _CLEAR_LINE, _END_OF_FILE = ("\x08", "\x7f"), "\x15", "\x04"


class Keyboard:
    """Calls `entered` with each line; `changed` whenever `line`, what is typed so far, is another one.

    Ctrl-D at the beginning of a line of a terminal is `quit`. Any other end of the input, such as that of a pipe, ends
    nothing: `ended` is called, once.
    """

    def __init__(
        self,
        entered: Callable[[str], None],
        changed: Callable[[], None] = lambda: None,
        ended: Callable[[], None] = lambda: None,
    ) -> None:
        self._entered = entered
        self._changed = changed
        self._ended = ended
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._terminal: list[object] | None = None
        self._descriptor = -1
        self._earlier: list[str] = []
        self._place = 0
        self.line = ""

    def start(self, *, by_key: bool) -> bool:
        """Listen; `by_key`: take the echo from the terminal, whose line is drawn. Returns whether there is an input."""
        if sys.stdin is None or sys.stdin.closed:
            return False
        try:
            self._descriptor = sys.stdin.fileno()
            asyncio.get_running_loop().add_reader(self._descriptor, self._readable)
        except (OSError, ValueError):
            self._descriptor = -1
            return False  # standard input is a file or nothing: there is no keyboard
        if by_key and os.isatty(self._descriptor):
            self._terminal = termios.tcgetattr(self._descriptor)
            ours = termios.tcgetattr(self._descriptor)
            ours[3] &= ~(termios.ECHO | termios.ICANON)
            termios.tcsetattr(self._descriptor, termios.TCSADRAIN, ours)
        return True

    def stop(self) -> None:
        """Give the terminal back as it was."""
        if self._descriptor >= 0:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            if self._terminal is not None:
                termios.tcsetattr(self._descriptor, termios.TCSADRAIN, self._terminal)  # type: ignore[arg-type]
                self._terminal = None
            self._descriptor = -1

    def _readable(self) -> None:
        try:
            data = os.read(self._descriptor, 4096)
        except BlockingIOError:
            return
        except OSError:
            # A terminal that has gone.
            self._end()
            return
        if data:
            self.take(self._decoder.decode(data))
        elif self.line:
            # A last line without its end.
            self.take("\n")
        elif os.isatty(self._descriptor):
            # Ctrl-D, where the terminal edits the lines.
            self._entered("quit")
        else:
            self._end()

    def _end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        self._ended()

    def take(self, text: str) -> None:
        """Take characters as they come."""
        place = 0
        while place < len(text):
            sequence = _SEQUENCE.match(text, place)
            key = sequence[0] if sequence else text[place]
            place += len(key)
            self._press(key)
        self._changed()

    def _press(self, key: str) -> None:
        if key in ("\n", "\r"):
            line, self.line = self.line.strip(), ""
            if line:
                self._earlier.append(line)
                self._entered(line)
            self._place = len(self._earlier)
        elif key in _BACKSPACE:
            self.line = self.line[:-1]
        elif key == _CLEAR_LINE:
            self.line = ""
        elif key == _END_OF_FILE and not self.line:
            self._entered("quit")
        elif key in (_UP, _DOWN):
            self._place = min(len(self._earlier), max(0, self._place + (1 if key == _DOWN else -1)))
            self.line = self._earlier[self._place] if self._place < len(self._earlier) else ""
        elif key.isprintable():
            self.line += key
