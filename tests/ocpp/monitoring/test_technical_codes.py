"""The file of technical codes."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.modules.ocpp.monitoring.technical_codes import read_codes
from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings


def test_codes_are_read_with_findings_at_their_place(tmp_path: Path) -> None:
    path = tmp_path / "codes.json"
    path.write_text('{"a/One": "E1",\n "b": {"Two": "E2",\n "Three": 3},\n "c/Four": ""}')
    findings = Findings()
    assert read_codes(path, findings) == {"a/One": "E1", "b/Two": "E2"}
    assert [one.where.removeprefix(str(path)) for one in findings.errors] == [":3:2", ":4:2"]


def test_a_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    findings = Findings()
    assert read_codes(tmp_path / "none.json", findings) == {} and len(findings.errors) == 1
