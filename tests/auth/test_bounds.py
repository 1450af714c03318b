"""The bounds of matching, reservations and lists, each from both sides."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargebyte_fw.kernel.errors import ConfigError
from chargebyte_fw.modules.auth.token_csv import LONGEST_RECORD
from chargebyte_fw.modules.auth.token_list import entry_from, parse
from chargebyte_fw.modules.auth.token_list_edit import add, save
from tests.auth.helpers import ANY, CCS2, Bench, result
from tests.auth.test_tokens import PLUG_EVENTS


def test_the_plug_in_timeout_counts_from_the_plug_in() -> None:
    bench = Bench(plug_in_timeout=True, **PLUG_EVENTS)
    bench.pass_time(100.0)
    bench.plug_in(1)
    bench.pass_time(9.9)
    assert bench.taken_back == []
    bench.pass_time(0.1)
    assert bench.taken_back == [1]


def test_a_master_pass_has_stopped_something_when_one_of_several_evses_confirms() -> None:
    bench = Bench([ANY], [ANY], master_pass="MASTER")
    bench.charge(1, "A")
    bench.charge(2, "B")
    bench.refusing = {1}
    bench.verdicts["M"] = [result(parent="master")]
    bench.swipe("M")
    assert [evse_id for evse_id, _ in bench.stopped] == [1, 2]
    assert bench.says("M")[-1] == "UsedToStop"


def test_one_of_several_foreign_reservations_with_a_group_is_enough_to_name_the_group() -> None:
    bench = Bench()
    assert bench.reserve(1, token="X", parent="G") == "Accepted"
    assert bench.reserve(2, token="Y") == "Accepted"
    assert bench.look("A") == "ReservedForOtherTokenAndHasParentToken"


def test_an_evse_kept_for_any_reservation_is_not_released_under_the_car_that_took_it() -> None:
    bench = Bench([CCS2], [CCS2])
    assert [bench.reserve(number, CCS2) for number in (1, 2)] == ["Accepted", "Accepted"]
    assert sorted(bench.reserved) == [1, 2]
    bench.plug_in(1)
    assert bench.released == []
    assert bench.cancel(1) or bench.cancel(2)
    assert 1 not in bench.released


@pytest.mark.parametrize(("length", "read"), [(LONGEST_RECORD, True), (LONGEST_RECORD + 1, False)])
def test_a_record_of_the_list_has_at_most_4096_characters(length: int, read: bool) -> None:
    line = "A," + "x" * (length - 3) + "\n"
    assert len(line) == length
    if read:
        assert list(parse(f"id,name\n{line}", "list.csv")) == ["a"]
        return
    with pytest.raises(ConfigError, match="more than 4096 characters"):
        parse(f"id,name\n{line}", "list.csv")


def test_a_connector_has_at_most_four_digits() -> None:
    assert entry_from({"id": "A", "connectors": "9999"}).connectors == (9999,)
    with pytest.raises(ValueError, match="numbered from 1"):
        entry_from({"id": "A", "connectors": "10000"})


def test_a_row_is_added_with_the_line_ending_of_the_header() -> None:
    text = 'id,name\r\nA1,"Ada\nLovelace"\n'
    assert add(text, "list.csv", entry_from({"id": "B2", "name": "Grace"})) == text + "B2,Grace\r\n"
    text = "# lost: none\r\nid,name\nA1,Ada\r\n"
    assert add(text, "list.csv", entry_from({"id": "B2", "name": "Grace"})) == text + "B2,Grace\n"


def test_a_list_is_saved_in_a_folder_that_does_not_exist_yet_and_in_one_that_does(tmp_path: Path) -> None:
    path = tmp_path / "a/b/list.csv"
    save(path, "id\nA\n")
    save(path, "id\nB\n")
    assert path.read_text() == "id\nB\n"
    assert [one.name for one in path.parent.iterdir()] == ["list.csv"]
