"""What a fault means for whoever stands at the charger: its cause, what to do, and what helps.

`advice_of` is for screens and pages; the charger itself does not import this package.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from chargebyte_fw.contracts.fault_advice import board, evse, lock_and_rcd, power, shared
from chargebyte_fw.contracts.fault_advice.advice import Advice, Help, Row

ROWS: tuple[Row, ...] = (*shared.OF_ANY, *board.ROWS, *lock_and_rcd.ROWS, *evse.ROWS, *power.ROWS, *shared.ROWS)
"""Every row, those of one error from the most particular to the general one."""

UNKNOWN = Advice(
    "an error that this product does not know",
    "read the message; look it up in the manual of the module that raised it",
    (Help.SERVICE,),
)


def advice_of(error_type: str, sub_type: str = "", implementation_id: str = "") -> Advice:
    """Return what is known of an error `namespace/Name` with this sub-type; `UNKNOWN` for one of others.

    `implementation_id` is that of the fault's origin: one error name may have several providers.
    """
    for row in ROWS:
        if row.error_type not in (error_type, ""):
            continue
        if row.implementation_id in (implementation_id, "") and fnmatchcase(sub_type, row.sub_type):
            return row.advice
    return UNKNOWN


__all__ = ["ROWS", "UNKNOWN", "Advice", "Help", "Row", "advice_of"]
