"""`secc decode --picture`: a session as a sequence of arrows between car and charger, as an SVG file."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

from chargebyte_fw.cli.decode_view import View, content_of
from chargebyte_fw.cli.text import counted
from chargebyte_fw.modules.v2g.capture.reading import Reader, Reading
from chargebyte_fw.modules.v2g.capture.traffic import Item, Trouble

WIDTH, LEFT, RIGHT = 1000, 170, 880
"""Of the picture, and where the lines of car and charger are."""
HEAD, ROW, BAND = 60, 38, 46
"""Heights: of the head, of a message, of a band between parts."""
MOST_ROWS = 3000
"""More are counted, not drawn: a browser has to show it."""
LONGEST_TEXT = 110
CODES = ("ResponseCode", "EVSEProcessing", "EVProcessing")
"""Messages that differ in one of these are not the same again."""
PARTS = {"slac": "SLAC", "sdp": "SDP", "sap": "SupportedAppProtocol", "din": "DIN SPEC 70121", "iso2": "ISO 15118-2"}
OF_THE_CHARGER = ("CM_ATTEN_PROFILE.IND", "CM_ATTEN_CHAR.IND")
SLAC = (
    *OF_THE_CHARGER,
    "CM_SLAC_PARM.REQ",
    "CM_SLAC_PARM.CNF",
    "CM_START_ATTEN_CHAR.IND",
    "CM_MNBC_SOUND.IND",
    "CM_ATTEN_CHAR.RSP",
    "CM_VALIDATE.REQ",
    "CM_VALIDATE.CNF",
    "CM_SLAC_MATCH.REQ",
    "CM_SLAC_MATCH.CNF",
)
"""Between car and charger; every other MME is between one of them and its own modem."""
STYLE = """
text{font:11px sans-serif;fill:#667585}.name{font-size:13px;font-weight:600;fill:#1c2733}
.end{font-size:15px;font-weight:600;fill:#1c2733}text.bad{fill:#c62f2f}.again{fill:#2266bb}
path{stroke:#2266bb;stroke-width:1.4;fill:none}path.bad{stroke:#c62f2f}path.life{stroke:#b9c5d0}
rect{fill:#fff}rect.band{fill:#eef2f6}
@media(prefers-color-scheme:dark){text{fill:#8d9baa}.name,.end{fill:#dde5ec}text.bad{fill:#ff7b72}.again{fill:#6cb0ff}
path{stroke:#6cb0ff}path.bad{stroke:#ff7b72}path.life{stroke:#3d4a58}rect{fill:#12181f}rect.band{fill:#1a222b}}
""".replace("\n", "")


@dataclass(slots=True)
class _Row:
    """A message, or a part's beginning where `side` is empty; `times` it came in a row."""

    key: tuple[Any, ...]
    side: str
    when: str
    name: str
    text: str = ""
    tone: str = ""
    times: int = 1
    until: str = ""


class Picture(View):
    """Collects the messages; those that come again and again are one pair of arrows with a count."""

    def __init__(self, reader: Reader) -> None:
        super().__init__(reader)
        self._rows: list[_Row] = []
        self._part = ""
        self._conversation: object = None
        self.messages = 0
        self.left_out = 0

    def take(self, item: Item) -> None:
        """Take an item; remarks go to stderr."""
        if isinstance(item, Trouble):
            self.remark(item)
            return
        reading = self.read(item)
        self.messages += 1
        if len(self._rows) >= MOST_ROWS:
            self.left_out += 1
            return
        self._divide(item, reading)
        self._append(item, reading)

    def svg(self, title: str) -> str:
        """Return the picture."""
        body: list[str] = []
        y = HEAD
        for row in self._rows:
            y += BAND if not row.side else ROW
            body += _band(row, y) if not row.side else _arrow(row, y)
        if self.left_out:
            y += ROW
            body.append(_text(WIDTH / 2, y, f"{counted(self.left_out, 'message')} more: not drawn", "again"))
        height = y + ROW
        lines = [f'<path class="life" d="M{x} {HEAD - 14}V{height - 10}"/>' for x in (LEFT, RIGHT)]
        ends = [_text(LEFT, HEAD - 24, "car", "end"), _text(RIGHT, HEAD - 24, "charger", "end")]
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}">'
        note = f"{title}: {counted(self.messages, 'message')}"
        return "\n".join(
            [
                head,
                f"<title>{escape(note)}</title><style>{STYLE}</style>",
                f'<rect width="{WIDTH}" height="{height}"/>',
                _text(WIDTH / 2, 20, note),
                *lines,
                *ends,
                *body,
                "</svg>\n",
            ]
        )

    def _divide(self, item: Any, reading: Reading) -> None:
        """Begin a part with the name of its protocol, and a connection with its ends."""
        part = PARTS.get(reading.protocol, "ISO 15118-20" if reading.protocol.startswith("iso20") else "")
        conversation = item.origin.conversation
        if part != self._part or (conversation is not None and conversation != self._conversation):
            ends = f"{item.origin.source} to {item.origin.destination}" if item.origin.source else ""
            self._rows.append(_Row((), "", self.when(item.origin).strip(), part or "unknown", ends))
        self._part = part
        self._conversation = conversation or self._conversation

    def _append(self, item: Any, reading: Reading) -> None:
        content = reading.content if isinstance(reading.content, dict) else {}
        codes = tuple(str(content.get(name, "")) for name in CODES)
        side = _sender_of(self.who(item.origin, reading), reading.message)
        failed = bool(reading.error) or codes[0].startswith("FAILED") or reading.signature.startswith("wrong")
        text = content_of(reading)
        text = text.removeprefix("ResponseCode OK").removeprefix(", ") if codes[0] == "OK" else text
        row = _Row(
            (side, reading.protocol, reading.message, codes, bool(reading.error), reading.signature),
            side,
            self.when(item.origin).strip(),
            reading.message or "?",
            text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…",
            "bad" if failed else "",
        )
        rows = self._rows
        if rows and rows[-1].key == row.key:
            _repeat(rows[-1], row)
        elif len(rows) > 2 and rows[-2].key == row.key and rows[-3].key == rows[-1].key and rows[-1].side:
            # The second of a pair that stood there before.
            _repeat(rows[-3], rows.pop())
            _repeat(rows[-1], row)
        else:
            rows.append(row)


def _repeat(row: _Row, again: _Row) -> None:
    row.times += again.times
    row.until = again.until or again.when


def _sender_of(who: str, message: str) -> str:
    if who in ("car", "charger"):
        return who
    if message not in SLAC:
        return "neither"
    return "charger" if message.endswith(".CNF") or message in OF_THE_CHARGER else "car"


def _band(row: _Row, y: int) -> list[str]:
    return [
        f'<rect class="band" x="{LEFT - 60}" y="{y - 20}" width="{RIGHT - LEFT + 120}" height="22" rx="4"/>',
        _text(WIDTH / 2 + 25, y - 5, f"{row.name}{'   ' if row.text else ''}{row.text}", "name"),
    ]


def _arrow(row: _Row, y: int) -> list[str]:
    middle = (LEFT + RIGHT) / 2
    found = [_text(8, y, row.when, anchor="start"), _text(middle, y - 5, row.name, f"name {row.tone}".strip())]
    start, end, back = (LEFT, RIGHT, -7) if row.side == "car" else (RIGHT, LEFT, 7)
    tone = f' class="{row.tone}"' if row.tone else ""
    if row.side != "neither":
        found.append(f'<path{tone} d="M{start} {y}H{end}M{end + back} {y - 4}L{end} {y}L{end + back} {y + 4}"/>')
    found.append(_text(middle, y + 13, row.text, row.tone))
    if row.times > 1:
        found.append(_text(8, y + 13, f"{row.times} times, until {row.until}", "again", "start"))
    return found


def _text(x: float, y: float, text: str, name: str = "", anchor: str = "middle") -> str:
    kind = f' class="{name}"' if name else ""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{kind}>{escape(text)}</text>'
