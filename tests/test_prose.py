"""Names and prose are plain: words of our own coining, and prose in which code talks, stay out of the product."""

from __future__ import annotations

import re
from pathlib import Path

from tests.source import ROOT, Source, parsed, source

PLACES = ("chargebyte_fw", "hil", "bench")

TALK = {"tell", "tells", "telling", "told", "say", "says", "saying", "said", "hear", "hears", "hearing", "heard"}
"""Code returns, raises, publishes, logs and notifies."""
PERSONS = {"somebody", "nobody"}
COINED = {"errand", "errands", "neighbour", "neighbours", "shelf", "forgiving", "objection", "objections"}
PHRASES = ("the hands of", "has hands", "has the hands", "without hands", "charging kernel")
IN_PROSE = TALK | PERSONS | COINED
IN_NAMES = IN_PROSE | {"hands", "flood", "floods", "flight", "flights"}
WHOLE_NAMES = {
    "Book",
    "Broken",
    "Heard",
    "Later",
    "Objection",
    "Outside",
    "Said",
    "Strange",
    "flood",
    "ground",
    "sole",
    "way_out",
}
FILES = {
    "notices",
    "hands",
    "neighbours",
    "ground",
    "flood",
    "sole",
    "standing",
    "forgiving",
    "garbage",
    "errands",
    "shelf",
    "face",
}
SUFFIXES = ("_side", "_book")

FOREIGN_NAMES = {"tell", "say_hello", "SAIDType", "limits_root_side", "powermeter_car_side", "powermeter_grid_side"}
"""Names that a library, a schema or EVerest has."""


def files() -> list[str]:
    paths = [path for place in PLACES for path in sorted((ROOT / place).rglob("*.py"))]
    return [str(path.relative_to(ROOT)) for path in paths]


def parts_of(name: str) -> list[str]:
    """Split `HeardIt_said` at underscores and capitals: heard, it, said."""
    return [part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def plain_words(text: str) -> set[str]:
    """The words of prose; what stands in backquotes or quotes is code, or somebody else's text."""
    return set(re.findall(r"[a-z]+", re.sub(r"`[^`]*`|\"[^\"]*\"", " ", text).lower()))


def findings(file: Source) -> list[str]:
    found = []
    for line, name in file.names:
        if name in FOREIGN_NAMES:
            continue
        if IN_NAMES & set(parts_of(name)) or name in WHOLE_NAMES or name.lower().endswith(SUFFIXES):
            found.append(f"line {line}: the name {name}")
    for line, words in file.prose:
        found += [f"line {line}: {phrase!r} in prose" for phrase in PHRASES if phrase in words.lower()]
        found += [f"line {line}: {word!r} in prose" for word in sorted(plain_words(words) & IN_PROSE)]
    return found


def test_names_and_prose_are_plain() -> None:
    stems = {path: Path(path).stem for path in files()}
    named = [path for path, stem in stems.items() if stem in FILES or stem.endswith((*SUFFIXES, "_words"))]
    assert named == []
    assert {path: found for path in stems if (found := findings(source(path)))} == {}


def documents() -> list[str]:
    paths = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


def test_documents_are_plain() -> None:
    def in_prose(path: str) -> list[str]:
        text = re.sub(r"^ *```.*?^ *```$", "", (ROOT / path).read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
        return sorted(plain_words(text) & IN_PROSE)

    assert {path: found for path in documents() if (found := in_prose(path))} == {}


def test_what_is_not_plain_is_noticed() -> None:
    def found(text: str) -> list[str]:
        return findings(parsed(text))

    assert found('class Heard:\n    """A frame."""') == ["line 1: the name Heard"]
    assert found("def f(was_told): pass") == ["line 1: the name was_told"]
    assert found("car_side = 1") == ["line 1: the name car_side"]
    assert found("# Nobody hears it.\n") == ["line 1: 'hears' in prose", "line 1: 'nobody' in prose"]
    assert found('x = 1\n"""Tell the car."""') == ["line 2: 'tell' in prose"]
    assert found('"""`say` and "hear" are names."""\nheading = place = 1  # ours') == []
