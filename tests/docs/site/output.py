"""Compares what a page shows with what a command prints. What differs from run to run is made equal by these rules:

1. Colours and blanks: escape sequences go, any run of blanks is one, lines without text do not count.
2. Figures: a number, with its sign, its decimals and what joins digits in dates, times, versions and addresses, is `0`.
   So is a word of eight or more hexadecimal digits with a figure in it (serial numbers, hashes, UUIDs, commits).
3. Drawn lines: a run of `-`, `=`, `─`, `━` or `╌` is one of them; what frames a table does not count.
4. A line `...` of the page stands for any lines, `...` or `…` in a line for any text.
5. The home directory (`/home/me` on a page) and the checkout are `~` and `chargebyte_fw`, whatever their path.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07)")
HEXADECIMAL = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\bg?(?=[0-9a-fA-F]*\d)[0-9a-fA-F]{8,}\b")
FIGURE = re.compile(r"[-+]?(?<![A-Za-z_\d])\d(?:[\dTZ.:+-]*[\dZ])?")
DRAWN = re.compile(r"([-=─━╌])\1+")
FRAME = re.compile(r"[│╭╮╰╯┃┏┓┗┛┌┐└┘├┤┬┴┼┡┩╇╈┠┨]")
ANY = "\x00"


def normal(line: str, places: Mapping[str, str]) -> str:
    """Return a line as it is compared; `places` are the paths to shorten and what is written for them."""
    for path, name in {**places, "/home/me": "~"}.items():
        line = line.replace(path, name)
    line = FRAME.sub(" ", ESCAPE.sub("", line))
    line = FIGURE.sub("0", HEXADECIMAL.sub("0", line))
    return " ".join(DRAWN.sub(r"\1", line).split())


def difference(shown: Sequence[str], printed: str, places: Mapping[str, str]) -> str:
    """Return what of the page does not match the output, or an empty text."""
    wanted = [one for line in shown if (one := normal(line, places))]
    found = [one for line in printed.replace("\r", "\n").split("\n") if (one := normal(line, places))]
    pattern = "\n" + "".join(ANY if one in ("...", "…") else _pattern(one) + "\n" for one in wanted)
    expression = pattern.replace("\n" + ANY, "\n" + r"(?:.*\n)*?")
    if re.fullmatch(expression, "\n" + "".join(line + "\n" for line in found)):
        return ""
    missing = [
        one for one in wanted if one not in ("...", "…") and not any(re.fullmatch(_pattern(one), it) for it in found)
    ]
    if missing:
        return "shown, but not printed: " + " | ".join(missing[:3])
    return "printed, but not shown (or in another order): " + " | ".join(
        [it for it in found if not any(re.fullmatch(_pattern(one), it) for one in wanted)][:3] or found[:3]
    )


def _pattern(line: str) -> str:
    return re.escape(line).replace(re.escape("..."), ".*").replace("…", ".*")
