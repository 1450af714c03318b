"""Lists as editors and spreadsheets write them: a line ends where every editor shows its end, cells may have lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.auth.auth_list_validator import AuthListValidator
from chargebyte_fw.modules.auth.token_list import Entry, entry_from, parse
from chargebyte_fw.modules.auth.token_list_edit import add, change, remove
from tests.auth.test_auth_list import Status, token

NO_BREAKS = {"VT": "\v", "FF": "\f", "FS": "\x1c", "NEL": "\x85", "LS": "\u2028", "PS": "\u2029", "CR": "\r"}


@pytest.mark.parametrize("one", NO_BREAKS.values(), ids=NO_BREAKS.keys())
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("auth_list.csv", "id,name\nA1,Ada\n# lost{}B2,\n"),
        ("auth_list.csv", "id,name\nA1,Ada\nC3,Eve{}B2\n"),
        ("auth_list.yaml", "tokens:\n  - A1 # Ada{}  - B2\n"),
        ("auth_list.yaml", "tokens:\n  - A1\n# lost{}  - B2\n"),
    ],
)
def test_what_is_no_line_break_begins_no_token(
    run: Any, assemble: Any, runtime: Any, name: str, text: str, one: str
) -> None:
    async def main() -> None:
        path: Path = runtime.root.write(f"/etc/everest/{name}")
        path.write_bytes(text.format(one).encode())
        assembly = assemble(validator=(AuthListValidator, {"list_file": f"/etc/everest/{name}"}))
        await assembly.start()
        answer = await assembly.modules["validator"].main.validate_token(token("B2"))
        assert answer.authorization_status is Status.Invalid
        await assembly.stop()

    run(main())


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_csv_as_spreadsheets_write_it(ending: str) -> None:
    """A mark of the byte order, `sep=`, quoted line breaks (Alt+Enter), quoted delimiters, rows of nothing."""
    text = (
        'sep=;|Id;Name;Connectors|"A1";"Ada\nLovelace; \r\n""the first""";"1;3"|# of June|;;|B2;Grace;|'
        '"C3";"#\n# no comment";'
    ).replace("|", ending)
    entries = parse(text, "list.csv")
    assert [(entry.id, entry.name, entry.connectors) for entry in entries.values()] == [
        ("A1", 'Ada Lovelace; "the first"', (1, 3)),
        ("B2", "Grace", ()),
        ("C3", "# # no comment", ()),
    ]
    assert [(entry.line, entry.last_line) for entry in entries.values()] == [(3, 5), (8, 8), (9, 10)]


@pytest.mark.parametrize("head", ["sep=;", '"sep=;"', "SEP=;", "sep=\t", "sep=,", "sep=|", "sep=;\n", "\n# x\nsep=;"])
def test_the_line_that_names_the_separator_is_believed(head: str) -> None:
    mark = head.strip("\n").strip('"')[-1]
    text = f"{head}\nid{mark}name\nA1{mark}a,b;c\n" if mark == "|" else f"{head}\nid{mark}name\nA1{mark}Ada\n"
    assert parse(text, "list.csv")["a1"].name == ("a,b;c" if mark == "|" else "Ada")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('id,name\nA,"Ada\nB,\n', "list.csv:2: error: not CSV: the quote that opens in this line is not closed"),
        ('id,name\nA,"Ada\n' + "x\n" * 5000, "list.csv:2: error: the line has more than 4096 characters"),
        ('id,name\n"A\nB",Ada\n', "is no token"),
        ("sep=\nid,name\nA,Ada\n", "list.csv:1: error: sep= names no separator"),
        ("sep=ab\nid,name\nA,Ada\n", "list.csv:1: error: sep= names no separator"),
    ],
)
def test_what_is_wrong_in_a_cell_is_told_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as failure:
        parse(text, "list.csv")
    assert says in str(failure.value)


def test_a_record_of_several_lines_goes_as_a_whole_and_its_line_ends_stay(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    before = b'\xef\xbb\xbfsep=;\r\nid;name\r\nA1;"Ada\nLovelace"\r\nB2;Grace\r\n'
    path.write_bytes(before)
    change(path, lambda text: add(text, "list.csv", entry_from({"id": "C3", "name": "Hedy"})))
    assert path.read_bytes() == before + b"C3;Hedy\r\n"
    change(path, lambda text: remove(text, "list.csv", "A1"))
    assert path.read_bytes() == b"\xef\xbb\xbfsep=;\r\nid;name\r\nB2;Grace\r\nC3;Hedy\r\n"


def test_yaml_with_a_line_separator_in_a_comment_is_changed_where_it_says() -> None:
    text = "tokens:\n  - A1 # Ada\u2028 and\x85more\n  - B2\n"
    changed = add(text, "list.yaml", Entry(id="C3"))
    assert changed == text + "  - id: C3\n"
    assert remove(changed, "list.yaml", "B2") == "tokens:\n  - A1 # Ada\u2028 and\x85more\n  - id: C3\n"
