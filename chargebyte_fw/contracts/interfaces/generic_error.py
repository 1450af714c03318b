"""EVerest interface `generic_error`."""

from __future__ import annotations

from chargebyte_fw.kernel.contract import Contract


class GenericError(Contract, interface="generic_error", errors=("generic",)):
    """Reports generic errors and nothing else."""
