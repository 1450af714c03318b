"""`CustomMrecErrorMapPath`: a JSON file with the technical codes of error types."""

from __future__ import annotations

from pathlib import Path

from chargebyte_fw.modules.ocpp.variables.files.json_file import Findings, JsonFile

CODE_LENGTH = 50
"""Characters of techCode (2.x, EventDataType)."""


def read_codes(path: Path, findings: Findings) -> dict[str, str]:
    """Return the code of each error type (`evse_board_support/MREC8EmergencyStop`); what is wrong is noted.

    The types of an interface may also stand in an object under the name of the interface.
    """
    file = JsonFile(path, findings)
    codes: dict[str, str] = {}
    for name, value in file.value.items():
        if isinstance(value, dict):
            rows = [(f"{name}/{one}", (name, one), code) for one, code in value.items()]
        else:
            rows = [(name, (name, ""), value)]
        for kind, place, code in rows:
            if isinstance(code, str) and 0 < len(code) <= CODE_LENGTH:
                codes[kind] = code
            else:
                file.error(place, f"a technical code has 1 to {CODE_LENGTH} characters")
    return codes
