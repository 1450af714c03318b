"""EVerest interface `example_error_framework`."""

from __future__ import annotations

from chargebyte_fw.kernel.contract import Contract


class ExampleErrorFramework(
    Contract,
    interface="example_error_framework",
    errors=(
        "example/ExampleErrorA",
        "example/ExampleErrorB",
        "example/ExampleErrorC",
        "example/ExampleErrorD",
    ),
):
    """Errors of EVerest's example modules."""
