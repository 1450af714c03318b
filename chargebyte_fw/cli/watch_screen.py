"""The screen of `secc watch`, without a terminal: takes pictures and keys, returns lines."""

from __future__ import annotations

from msgspec.structs import replace

from chargebyte_fw.cli.status_view import Line, Look, cut, page, screen
from chargebyte_fw.manager.status.model import Status

KEYS = (
    ("q", "quit"),
    ("space", "pause, go on"),
    ("arrows, 1 to 9", "choose an EVSE; 0: all of them"),
    ("f", "the faults alone, and back"),
    ("m", "processes and modules alone, and back"),
    ("?", "this help"),
)
FOOT = "q quit  ? help  space pause  1-9 EVSE  f faults  m modules"
UNBOUNDED = 10_000
PAGES = {"f": "faults", "m": "modules"}


class WatchScreen:
    """What is shown. `look` is how to write; its width and the rows are those of the terminal."""

    def __init__(self) -> None:
        self.status: Status | None = None
        self.over = False
        """Whether `q` was pressed."""
        self._held: Status | None = None
        self._chosen: str | None = None
        self._helps = False
        self._page = ""
        self._lost = ""

    def take(self, status: Status) -> None:
        """Take the present picture."""
        self.status, self._lost = status, ""

    def lose(self, reason: str) -> None:
        """The charger does not answer any more; the last picture stays, with the reason above it."""
        self._lost = reason

    @property
    def paused(self) -> bool:
        """Whether the picture is held."""
        return self._held is not None

    def press(self, key: str) -> None:
        """Take a key by its name."""
        match key:
            case "q":
                self.over = True
            case "space" | "p":
                self._held = None if self.paused else self.status
            case "?" | "h":
                self._helps = not self._helps
            case "f" | "m":
                self._page = "" if self._page == PAGES[key] else PAGES[key]
            case "left" | "up":
                self._step(-1)
            case "right" | "down":
                self._step(1)
            case "0":
                self._chosen = None
            case _ if key.isdecimal() and len(key) == 1:
                self._choose(int(key))

    def _ids(self) -> list[str]:
        return [evse.id for evse in self.status.evses] if self.status is not None else []

    def _step(self, by: int) -> None:
        ids = self._ids()
        if not ids:
            return
        if self._chosen not in ids:
            self._chosen = ids[0] if by > 0 else ids[-1]
        else:
            self._chosen = ids[(ids.index(self._chosen) + by) % len(ids)]

    def _choose(self, number: int) -> None:
        found = [evse.id for evse in self.status.evses if evse.number == number] if self.status is not None else []
        self._chosen = found[0] if found else self._chosen

    def lines(self, look: Look, rows: int) -> list[Line]:
        """Return the screen: no more lines than the terminal has rows."""
        look = replace(look, folded=2)
        body = self._help(look) if self._helps else self._body(look, rows - 1)
        return [*body[: rows - 1], Line(cut(f"PAUSED  {FOOT}" if self.paused else FOOT, look), "dim")]

    def _body(self, look: Look, rows: int) -> list[Line]:
        status = self._held or self.status
        above = [Line(cut(self._lost, look), "bad")] if self._lost else []
        if status is None:
            return above
        rows -= len(above)
        if self._page:
            return [*above, *page(self._page, status, look, rows)]
        shown = screen(status, look, UNBOUNDED, self._chosen)
        if len(shown) > rows:
            # What does not fit is folded: with several EVSEs all but one.
            first = status.evses[0].id if len(status.evses) > 1 else None
            shown = screen(status, look, rows, self._chosen or first)
        return [*above, *shown]

    def _help(self, look: Look) -> list[Line]:
        width = max(len(key) for key, _ in KEYS)
        return [Line("keys", "bold"), *(Line(cut(f"  {key.ljust(width)}  {what}", look)) for key, what in KEYS)]
