"""AuthListValidator and its list: what a person writes is what is accepted, whatever happens to the file."""

from __future__ import annotations

import asyncio
import logging
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargebyte_fw.contracts.types.authorization import (
    AuthorizationStatus,
    AuthorizationType,
    IdToken,
    IdTokenType,
    ProvidedIdToken,
)
from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.clock import VIRTUAL_EPOCH
from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.auth import token_list
from chargebyte_fw.modules.auth.auth_list_validator import AuthListValidator
from chargebyte_fw.modules.auth.token_list import Entry, entry_from, parse
from chargebyte_fw.modules.auth.token_list_edit import add, change, remove, save

YAML = """# Who may charge at house 7
tokens:
  - DEADBEEF            # the janitor
  - id: 04A1B2C3D4
    name: Ada
    expires: 2026-01-31
    parent: FAMILY
    connectors: [1, 3]

  # the plumber came once
  - {id: "0123", blocked: true}
  - id: 12E4
    type: eMAID
"""
CSV = """# Who may charge at house 7
id,name,expires,parent,connectors,blocked,type
DEADBEEF
04A1B2C3D4,Ada,2026-01-31,FAMILY,1 3
0123,,,,,true
12E4,,,,,,eMAID
"""
PATH = "/etc/everest/auth_list.yaml"
Status = AuthorizationStatus


def token(value: str, kind: IdTokenType = IdTokenType.ISO14443, connectors: list[int] | None = None) -> ProvidedIdToken:
    return ProvidedIdToken(
        id_token=IdToken(value=value, type=kind), authorization_type=AuthorizationType.RFID, connectors=connectors
    )


class Station:
    def __init__(self, assemble: Any, runtime: Any, text: str | None, path: str = PATH, **config: Any) -> None:
        self.path: Path = runtime.root.write(path)
        if text is not None:
            self.path.write_text(text)
        self.assembly = assemble(validator=(AuthListValidator, {"list_file": path, **config}))
        self.main = self.assembly.modules["validator"].main

    async def ask(self, value: str, **more: Any) -> Any:
        return await self.main.validate_token(token(value, **more))

    async def status(self, value: str, **more: Any) -> AuthorizationStatus:
        status: AuthorizationStatus = (await self.ask(value, **more)).authorization_status
        return status


@pytest.mark.parametrize(("text", "path"), [(YAML, PATH), (CSV, "/etc/everest/auth_list.csv")], ids=["YAML", "CSV"])
def test_a_token_is_what_its_line_says(run: Any, assemble: Any, runtime: Any, text: str, path: str) -> None:
    async def main() -> None:
        station = Station(assemble, runtime, text, path)
        await station.assembly.start()
        assert await station.status("DEADBEEF") is Status.Accepted
        assert await station.status("deadbeef") is Status.Accepted, "letter case does not count"
        assert await station.status("NOBODY") is Status.Invalid
        assert await station.status("0123") is Status.Blocked
        assert await station.status("123") is Status.Invalid, "0123 is a text, not a number"
        assert await station.status("12E4", kind=IdTokenType.eMAID) is Status.Accepted
        assert await station.status("12E4") is Status.Invalid, "of another type"
        ada = await station.ask("04A1B2C3D4")
        assert ada.authorization_status is Status.Accepted
        assert (ada.parent_id_token.value, ada.evse_ids) == ("FAMILY", [1, 3])
        assert ada.expiry_time == "2026-01-31T23:59:59.999Z"
        assert await station.status("04A1B2C3D4", connectors=[2]) is Status.NotAtThisLocation
        assert await station.status("04A1B2C3D4", connectors=[2, 3]) is Status.Accepted
        await station.assembly.stop()

    run(main())


def test_a_token_expires_in_the_moment_that_was_written(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        at = VIRTUAL_EPOCH + timedelta(seconds=10)
        station = Station(assemble, runtime, f"tokens:\n  - {{id: A, expires: '{at.isoformat()}'}}\n")
        await station.assembly.start()
        await asyncio.sleep(9)
        assert await station.status("A") is Status.Accepted
        await asyncio.sleep(2)
        assert await station.status("A") is Status.Expired
        await station.assembly.stop()

    run(main())


def test_a_changed_file_counts_from_the_next_token_on(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        station = Station(assemble, runtime, "tokens: [A]\n")
        await station.assembly.start()
        assert await station.status("B") is Status.Invalid
        save(station.path, "tokens: [B]\n")
        assert (await station.status("A"), await station.status("B")) == (Status.Invalid, Status.Accepted)
        await station.assembly.stop()

    run(main())


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("tokens: [A, B", "error: not YAML"),
        ("tokens:\n  - id: A\n    expires: tomorrow\n", "auth_list.yaml:2: error: 'tomorrow' is no date"),
        ("tokens:\n  - A\n  - a\n", "auth_list.yaml:3: error: a is listed already in line 2"),
        ("tokens:\n  - {id: A, conectors: [1]}\n", "'conectors' is no field"),
        ("tokens:\n  - {id: A, connectors: [0]}\n", "numbered from 1"),
        ("tokens:\n  - {id: A, blocked: maybe}\n", "blocked is true or false"),
        ("tokens:\n  - {name: A}\n  - {name: B}\n", "needs an id [C402], and 1 more"),
        ("tokens:\n  - {id: " + "A" * 37 + "}\n", "up to 36 printable ASCII"),
        ("tokens: {A: 1}\n", "a list named `tokens:`"),
        ("- A\n", "a list named `tokens:`"),
        ("\0\0\0", "not YAML"),
        ("tokens:\n  - id: A\n    connectors: &a [*a]\n", "3: error: expected is a value, or a list of values"),
        ("tokens:\n  - {[a]: b}\n", "2: error: the name of a field is one word"),
        ("tokens: " + "[" * 3000, "error: not YAML"),
        ("tokens:\n - " + "{a: " * 3000, "2: error: expected is a value"),
        ("tokens:\n  - {id: A, id: B}\n", "2: error: id is there twice"),
        ("tokens:\n  - {id: A, expires: '0001-01-01T00:00:00+14:00'}\n", "2: error: '0001-01-01"),
        ("tokens:\n  - {id: A, connectors: '" + "9" * 6000 + "'}\n", "numbered from 1"),
        ("tokens: [A]\n---\ntokens: [B]\n", "3: error: another document"),
        ("tokens: [A]\nother: 1\n", "2: error: expected is a list named `tokens:`"),
        ("token: [A]\n", "1: error: expected is a list named `tokens:`"),
    ],
)
def test_a_broken_file_keeps_the_last_good_list_with_one_clear_line(
    run: Any, assemble: Any, runtime: Any, caplog: Any, broken: str, says: str
) -> None:
    async def main() -> None:
        station = Station(assemble, runtime, "tokens: [GOOD]\n")
        await station.assembly.start()
        caplog.clear()
        save(station.path, broken)
        await asyncio.sleep(30)
        assert await station.status("GOOD") is Status.Accepted
        lines = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
        assert len(lines) == 1 and says in lines[0] and "last good list (1 token)" in lines[0]
        assert station.main.faults.is_active("generic/VendorWarning", "AuthList")
        save(station.path, "tokens: [BETTER]\n")
        await asyncio.sleep(3)
        assert not station.main.faults.active
        assert await station.status("GOOD") is Status.Invalid
        await station.assembly.stop()

    caplog.set_level(logging.INFO)
    run(main())


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        ("id,name\nA," + "x" * 200_000 + "\n", "2: error: the line has more than 4096 characters"),
        ('id,name\nA,"open\nB,x\n', "2: error: not CSV"),
        ("id,name\nA,b,c\n", "2: error: 3 cells in 2 columns"),
        ("id,id\nA,B\n", "1: error: a column is named twice"),
        ("token,name\nA,b\n", "1: error: the first line must name the columns"),
        ("id,colour\nA,red\n", "2: error: 'colour' is no field"),
    ],
)
def test_a_broken_csv_is_told_with_its_line(broken: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(broken, "list.csv")
    assert f"list.csv:{says}" in str(caught.value) and len(str(caught.value)) < 300


def test_csv_as_a_german_excel_writes_it() -> None:
    text = "ID;Name;Expires;Connectors\nA1;Müller, Ada;2027-01-31;1,2\n;;;\n"
    entries = parse(text, "list.csv")
    assert (entries["a1"].name, entries["a1"].connectors) == ("Müller, Ada", (1, 2)) and len(entries) == 1
    changed = add(text, "list.csv", Entry(id="B", name="x;y"))
    assert changed == text + 'B;"x;y";;\n'
    assert remove(changed, "list.csv", "B") == text


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("2027-01-31", "2027-01-31T23:59:59.999999+00:00"),
        ("20270131", "2027-01-31T23:59:59.999999+00:00"),
        ("2027-01-31 18:00", "2027-01-31T18:00:00+00:00"),
        ("2027-01-31t18:00:00z", "2027-01-31T18:00:00+00:00"),
        ("2027-01-31T18:00:00+02:00", "2027-01-31T16:00:00+00:00"),
    ],
)
def test_how_an_expiry_may_be_written(text: str, ends: str) -> None:
    at = entry_from({"id": "A", "expires": text}).expires
    assert at is not None and at.isoformat() == ends


def test_a_file_that_is_being_written_takes_nobodys_token_away(run: Any, assemble: Any, runtime: Any) -> None:
    """An editor that truncates and then writes leaves an empty file for a moment."""

    async def main() -> None:
        station = Station(assemble, runtime, "tokens: [A]\n")
        await station.assembly.start()
        station.path.write_text("")
        assert await station.status("A") is Status.Accepted
        await asyncio.sleep(1)
        station.path.write_text("tokens: [A, B]\n")
        assert await station.status("B") is Status.Accepted
        station.path.write_text("")
        await asyncio.sleep(10)
        assert await station.status("A") is Status.Invalid, "who empties the file means it"
        assert not station.main.faults.active
        await station.assembly.stop()

    run(main())


def test_a_file_that_changes_while_it_is_read_is_read_again(
    run: Any, assemble: Any, runtime: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chargebyte_fw.modules.auth import auth_list_validator

    async def main() -> None:
        station = Station(assemble, runtime, "tokens: [A]\n")
        await station.assembly.start()
        real = token_list.parse

        def overtaken(text: str, name: str) -> Any:
            monkeypatch.setattr(auth_list_validator, "parse", real)
            save(station.path, "tokens: [A, C]\n")
            return real(text, name)

        monkeypatch.setattr(auth_list_validator, "parse", overtaken)
        save(station.path, "tokens: [B]\n")
        assert await station.status("A") is Status.Accepted, "half a file is no list"
        assert await station.status("C") is Status.Accepted
        assert await station.status("B") is Status.Invalid
        await station.assembly.stop()

    run(main())


def test_what_is_no_file_is_said(run: Any, assemble: Any, runtime: Any, caplog: Any) -> None:
    async def main() -> None:
        os.mkfifo(runtime.root.write(PATH))
        station = Station(assemble, runtime, None)
        await station.assembly.start()
        assert await station.status("A") is Status.Invalid
        assert "not a file; no token is listed" in caplog.text
        await station.assembly.stop()

    run(main())


def test_ten_thousand_tokens_do_not_hold_up_the_charger(assemble: Any, runtime: Any) -> None:
    """On the real clock: a session goes on while a long list is read."""
    text = "tokens:\n" + "".join(
        f"  - id: '{n:08X}'\n    name: Ada {n}\n    expires: 2027-01-01\n" for n in range(10_000)
    )

    async def main() -> None:
        station = Station(assemble, runtime, "tokens: [A]\n")
        await station.assembly.start()
        loop = asyncio.get_running_loop()
        worst_s = 0.0

        async def pulse() -> None:
            nonlocal worst_s
            while True:
                began_s = loop.time()
                await asyncio.sleep(0.001)
                worst_s = max(worst_s, loop.time() - began_s)

        beating = loop.create_task(pulse())
        await asyncio.sleep(0.01)
        save(station.path, text)
        began_s = loop.time()
        assert await station.status("0000270F") is Status.Accepted
        took_s = loop.time() - began_s
        await asyncio.sleep(0.05)
        beating.cancel()
        # A reader in place holds the loop for as long as it takes.
        assert worst_s < max(took_s / 2, 0.1)
        await station.assembly.stop()

    clock.run(main())


def test_bytes_that_are_no_text_are_a_broken_file(run: Any, assemble: Any, runtime: Any) -> None:
    async def main() -> None:
        station = Station(assemble, runtime, "tokens: [GOOD]\n")
        await station.assembly.start()
        station.path.write_bytes(b"tokens: [\xff\xfe]\n")
        assert await station.status("GOOD") is Status.Accepted
        assert station.main.faults.active
        await station.assembly.stop()

    run(main())


def test_without_a_file_nobody_charges_until_there_is_one(run: Any, assemble: Any, runtime: Any, caplog: Any) -> None:
    async def main() -> None:
        station = Station(assemble, runtime, None)
        await station.assembly.start()
        assert await station.status("A") is Status.Invalid
        assert "No such file" in caplog.text and "no token is listed" in caplog.text
        save(station.path, "tokens: [A]\n")
        assert await station.status("A") is Status.Accepted
        station.path.unlink()
        assert await station.status("A") is Status.Accepted, "a file that vanishes takes nobody's token away"
        await station.assembly.stop()

    run(main())


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "tokens:\n", "tokens: []\n"])
def test_an_empty_list_is_a_list(text: str) -> None:
    assert parse(text, "list.yaml") == {}


# -- changes by program


def test_adding_leaves_every_other_line_as_it_was() -> None:
    changed = add(YAML, "list.yaml", Entry(id="0042", name="Grace: the 2nd", connectors=(2,)))
    assert changed.startswith(YAML)
    assert changed.removeprefix(YAML) == "  - id: '0042'\n    name: 'Grace: the 2nd'\n    connectors: '2'\n"


@pytest.mark.parametrize(
    ("token", "gone"),
    [
        ("deadbeef", [3]),
        ("04A1B2C3D4", [4, 5, 6, 7, 8]),
        ("0123", [11]),
        ("12E4", [12, 13]),
    ],
)
def test_removing_takes_the_tokens_own_lines_and_no_comment(token: str, gone: list[int]) -> None:
    lines = YAML.splitlines(keepends=True)
    wanted = "".join(line for number, line in enumerate(lines, 1) if number not in gone)
    assert remove(YAML, "list.yaml", token) == wanted


BRACKETS = """tokens: [
  A1,              # the janitor
  {id: B2, name: Ada},  # Ada
  C3,  # the last one
]
# the end
"""


def test_in_brackets_every_comment_stays_with_its_token() -> None:
    changed = add(BRACKETS, "list.yaml", Entry(id="0042", name='Grace "the 2nd", #1'))
    assert changed == BRACKETS.replace("[\n", '[\n  {id: "0042", name: "Grace \\"the 2nd\\", #1"},\n')
    assert remove(changed, "list.yaml", "0042") == BRACKETS
    assert remove(BRACKETS, "list.yaml", "b2") == BRACKETS.replace("{id: B2, name: Ada},  # Ada\n  ", "")
    assert "# Ada" in remove(BRACKETS, "list.yaml", "c3")
    assert add("tokens: [A, B] # all\n", "l.yaml", Entry(id="C")) == 'tokens: ["C", A, B] # all\n'
    assert remove("tokens: [A, B] # all\n", "l.yaml", "B") == "tokens: [A] # all\n"
    assert remove("tokens: [A] # all\n", "l.yaml", "A") == "tokens: [] # all\n"
    assert add("tokens: [] # all\n", "l.yaml", Entry(id="A")).endswith("# all\n")


def test_a_comment_that_speaks_of_tokens_is_no_list() -> None:
    assert parse(add("# tokens: go below\n", "l.yaml", Entry(id="A")), "l.yaml").keys() == {"a"}
    assert parse(add("# none", "l.csv", Entry(id="A")), "l.csv").keys() == {"a"}


def test_in_csv_lines_come_and_go_too() -> None:
    changed = add(CSV, "list.csv", Entry(id="42", name="Grace, the 2nd", expires=datetime(2027, 1, 1, tzinfo=UTC)))
    assert changed == CSV + '42,"Grace, the 2nd",2027-01-01T00:00:00Z,,,,\n'
    assert remove(changed, "list.csv", "42") == CSV


@pytest.mark.parametrize("name", ["list.yaml", "list.csv"])
def test_what_is_listed_is_not_added_and_what_is_not_is_not_removed(name: str) -> None:
    text = YAML if name.endswith("yaml") else CSV
    with pytest.raises(ValueError, match="listed already, in line 3"):
        add(text, name, Entry(id="DeadBeef"))
    with pytest.raises(ValueError, match="NOBODY is not listed"):
        remove(text, name, "NOBODY")


def test_a_broken_file_is_not_changed() -> None:
    with pytest.raises(ConfigError, match="not YAML"):
        add("tokens: [A", "list.yaml", Entry(id="B"))


texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=12)
# Hypothesis takes bounds without a time zone and adds the zone itself.
EARLIEST, LATEST = datetime(2020, 1, 1), datetime(2099, 1, 1)  # noqa: DTZ001
entries = st.builds(
    Entry,
    id=texts.filter(lambda text: text.strip() == text),
    name=texts.map(str.strip),
    parent=texts.map(str.strip),
    connectors=st.lists(st.integers(1, 9), max_size=3).map(tuple),
    blocked=st.booleans(),
    expires=st.none() | st.datetimes(EARLIEST, LATEST, timezones=st.just(UTC)),
)


@pytest.mark.parametrize("name", ["list.yaml", "list.csv"])
@given(
    several=st.lists(entries, min_size=1, max_size=5, unique_by=lambda entry: entry.key),
    start=st.sampled_from(
        [
            "",
            "# tokens: none yet\n",
            "tokens: []\n",
            "tokens:\n",
            "tokens:\n- X1 # first\n",
            "tokens: [X1, {id: X2}]\n",
            BRACKETS,
            YAML,
        ]
    ),
)
def test_what_was_added_is_read_back_and_removed_again(name: str, several: list[Entry], start: str) -> None:
    """For every text that a token or a name may be, in a list of every style."""
    if name.endswith("csv"):
        start = "" if start != YAML else CSV
    text = start
    before = parse(start, name)
    several = [entry for entry in several if entry.key not in before and not entry.id.startswith("#")]
    for entry in several:
        text = add(text, name, entry)
    found = parse(text, name)
    for entry in several:
        there = found[entry.key]
        assert (there.id, there.name, there.parent, there.connectors) == (
            entry.id,
            entry.name,
            entry.parent,
            entry.connectors,
        )
        assert (there.expires, there.blocked) == (entry.expires, entry.blocked)
    for entry in several:
        text = remove(text, name, entry.id)
    assert set(parse(text, name)) == set(before)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    for name in ("list.yaml", "list.csv"):
        try:
            parse(text, name)
        except ConfigError as error:
            assert error.findings[0].where.startswith(name)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize(("name", "text"), [("list.yaml", YAML), ("list.csv", CSV)])
def test_windows_line_ends_and_byte_order_mark_stay(
    tmp_path: Path, name: str, text: str, end: str, mark: bytes
) -> None:
    path = tmp_path / name
    before = mark + text.replace("\n", end).encode()
    path.write_bytes(before)
    change(path, lambda old: add(old, name, Entry(id="0042", name="Grace")))
    after = path.read_bytes()
    assert after.startswith(before) and after.endswith(end.encode())
    assert after.count(b"\n") == after.count(end.encode()) == before.count(b"\n") + (2 if name == "list.yaml" else 1)
    change(path, lambda old: remove(old, name, "0042"))
    assert path.read_bytes() == before


def test_changes_at_the_same_time_are_all_there(tmp_path: Path) -> None:
    """Twelve commands at once, and a reader that never sees half a list."""
    import subprocess
    import sys

    path = tmp_path / "list.yaml"
    path.write_text(YAML)
    command = [sys.executable, "-m", "chargebyte_fw.cli.main", "auth", "add"]
    running = [subprocess.Popen([*command, f"NEW{n}", "--file", str(path)]) for n in range(12)]
    while any(one.poll() is None for one in running):
        assert len(parse(path.read_text(), "list.yaml")) >= 4
    assert [one.returncode for one in running] == [0] * 12
    assert set(parse(path.read_text(), "list.yaml")) >= {f"new{n}" for n in range(12)}
    assert path.read_text().startswith(YAML) and os.listdir(tmp_path) == ["list.yaml"]


def test_saving_keeps_mode_and_link_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path, link = tmp_path / "list.yaml", tmp_path / "link.yaml"
    path.write_text("tokens: [A]\n")
    path.chmod(0o640)
    link.symlink_to(path)
    save(link, "tokens: [B]\n")
    assert link.is_symlink() and path.read_text() == "tokens: [B]\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(os.listdir(tmp_path)) == ["link.yaml", "list.yaml"]


def test_a_full_disk_leaves_the_old_list(tmp_path: Path, mocker: Any) -> None:
    path = tmp_path / "list.yaml"
    path.write_text("tokens: [A]\n")
    mocker.patch("chargebyte_fw.modules.auth.token_list_edit.os.fsync", side_effect=OSError(28, "No space left"))
    with pytest.raises(OSError, match="No space left"):
        save(path, "tokens: [B]\n")
    assert path.read_text() == "tokens: [A]\n" and os.listdir(tmp_path) == ["list.yaml"]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"id": ""}, "a token needs an id"),
        ({"id": "é"}, "is no token: up to"),
        ({"id": "A", "name": "two\nlines"}, "a name is one line"),
        ({"id": " A"}, "has blanks around it"),
    ],
)
def test_what_is_no_token_is_refused(values: dict[str, str], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        entry_from(values)
