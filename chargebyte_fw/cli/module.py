"""`secc module`: one module of this product as a process under a manager of EVerest, as that starts its programs."""

from __future__ import annotations

import argparse
import sys
from typing import Any

OPTIONS = (
    "--module",
    "--prefix",
    "--log_config",
    "--mqtt_everest_prefix",
    "--mqtt_external_prefix",
    "--mqtt_broker_socket_path",
    "--mqtt_broker_host",
    "--mqtt_broker_port",
    "--config",
)


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "module",
        help="run one module under a manager of EVerest",
        description=__doc__.partition(": ")[2],
        epilog="Options that are missing are read from EV_MODULE, EV_PREFIX, EV_MQTT_...; log_config and config have "
        "no effect. example: secc module --prefix /usr --module imd --mqtt_broker_host localhost",
        allow_abbrev=False,
    )
    for name in OPTIONS:
        parser.add_argument(name, metavar=name.rpartition("_")[2].lstrip("-").upper())
    parser.add_argument("--dontvalidateschema", action="store_true", help="no effect")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the module; exit status 0 as asked, 1 for any failure, as EVerest's manager knows them."""
    from chargebyte_fw.kernel import clock
    from chargebyte_fw.kernel.errors import ConfigError, Unavailable
    from chargebyte_fw.kernel.log import set_up
    from chargebyte_fw.manager import gc_tuning, member_process

    set_up("INFO")
    try:
        start = member_process.from_environment(vars(arguments))
        with gc_tuning.put_off():
            return clock.run(member_process.run(start))
    except (ConfigError, Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
