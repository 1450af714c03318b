"""No secret of the corpus gets into a log line or an archive, and what is none stays."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargebyte_fw.kernel.redaction import LONGEST_LINE, redact
from chargebyte_fw.modules.system.logs.secrets import redact as redact_file

CORPUS = [
    line
    for line in Path(__file__).with_name("redaction.txt").read_text("utf-8").split("\n")
    if line and not line.startswith("# ")
]


def as_file(text: str) -> str:
    return redact_file(text.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def in_a_file(text: str) -> str:
    """Among other lines, the longest of which is longer than a piece."""
    other = "a line like any other, with a pin and a token\n" * 500 + "x," * 20_000
    return as_file(f"{other}\n{text}\n{other}").replace(other, "")


def pieces_of(secret: str) -> set[str]:
    words = re.findall(r"[A-Za-z0-9]{3,}", secret) or re.findall(r"[A-Za-z0-9]+", secret)
    return {word[at : at + 3] for word in words for at in range(max(1, len(word) - 2))}


@pytest.mark.parametrize("line", CORPUS)
@pytest.mark.parametrize("blank", [redact, as_file, in_a_file])
def test_the_corpus(line: str, blank: Callable[[str], str]) -> None:
    line = line.replace("⏎", "\n")
    secrets, kept = re.findall("«(.*?)»", line, re.DOTALL), re.findall("‹(.*?)›", line + "›", re.DOTALL)
    told = blank(re.sub("[«»‹›]", "", line))
    words = "".join(kept)
    for secret in secrets:
        left = [piece for piece in pieces_of(secret) if piece in told and piece not in words]
        assert left == [], told
    for word in kept:
        assert word.strip("\n") in told, told


@pytest.mark.parametrize("blank", [redact, as_file])
def test_json_stays_json(blank: Callable[[str], str]) -> None:
    for line in CORPUS:
        text = re.sub("[«»‹›]", "", line)
        try:
            before = json.loads(text)
        except ValueError:
            continue
        after = json.loads(blank(text))
        assert type(after) is type(before)
        if isinstance(before, dict):
            assert list(after) == list(before)


def test_json_without_a_secret_stays_letter_by_letter() -> None:
    text = '{"a" :1.10,\t"token_count": [1,2 ], "b":"\\u00e4 pin"}'
    assert redact(text) == text == as_file(text)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
        max_leaves=6,
    ),
    st.text(alphabet="abcXYZ019 \"\\{}[],:@/'\n\t", min_size=1, max_size=20).map(lambda text: f"s3cr3t{text}s3cr3t"),
    st.sampled_from(["password", "Password", "id_token", "idTag", "AuthorizationKey", "wifi_psk"]),
    st.integers(0, 3),
)
def test_no_value_is_written_so_that_it_gets_through(other: object, secret: str, key: str, depth: int) -> None:
    value: object = {"a": other, key: {"value": secret} if key == "id_token" else secret, "z": other}
    text = json.dumps(value)
    for _ in range(depth):
        text = json.dumps({"inner": text, "n": [1]})
    for told in (redact(f"cmd {text} end"), as_file(f"cmd {text} end\n"), redact(text), as_file(text)):
        assert "s3cr3t" not in told


@pytest.mark.parametrize(
    "text",
    [
        "password" + "[" * 100_000,
        "token" + "{" * 100_000,
        "pin" + '{"a":' * 50_000,
        "token" + '[{"a":"' * 20_000,
        '{"password":"' + "x" * LONGEST_LINE + '"}',
        "://a:" * 50_000,
        'password="' * 30_000,
    ],
    ids=["lists", "objects", "nested", "mixed", "long", "addresses", "quotes"],
)
def test_no_text_takes_long(text: str) -> None:
    began_s = time.process_time()
    redact(text)
    as_file(text)
    assert time.process_time() - began_s < 5
