"""EVerest interface `example_user`."""

from __future__ import annotations

from chargebyte_fw.kernel.contract import Contract


class ExampleUser(Contract, interface="example_user"):
    """Interface without members of EVerest's example modules."""
