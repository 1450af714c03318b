"""The survivors that somebody has looked at: one line each, `NAME => VERDICT: SENTENCE`."""

from __future__ import annotations

from pathlib import Path

FILE = Path(__file__).with_name("judged.txt")
VERDICTS = ("equivalent", "gap")


class BadLine(ValueError):
    """A line of the file that cannot be read."""


def judged(text: str) -> dict[str, str]:
    """Return verdict and sentence by mutant; raises BadLine."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, arrow, verdict = line.rpartition(" => ")
        word, colon, sentence = verdict.partition(": ")
        if not arrow or not colon or word not in VERDICTS or not sentence.strip():
            raise BadLine(f"judged.txt:{number}: write `NAME => equivalent: why` or `NAME => gap: what is missing`")
        found[name.strip()] = verdict.strip()
    return found
