"""`secc module`: one module of this product as a process under a manager of EVerest, as that starts its programs."""

from __future__ import annotations

import argparse
import sys
from typing import Any

OPTIONS = {
    "--module": "id of the module in the configuration",
    "--prefix": "EVerest's prefix",
    "--log_config": "no effect",
    "--mqtt_everest_prefix": "topic prefix of EVerest's modules",
    "--mqtt_external_prefix": "topic prefix of everything else",
    "--mqtt_broker_socket_path": "Unix socket of the broker, in place of host and port",
    "--mqtt_broker_host": "host of the broker",
    "--mqtt_broker_port": "port of the broker",
    "--config": "no effect",
}


def add_parser(subparsers: Any) -> None:
    """Add the subcommand."""
    parser = subparsers.add_parser(
        "module",
        help="run one module under a manager of EVerest",
        description=__doc__.partition(": ")[2],
        epilog="example:\n  secc module --prefix /usr --module imd --mqtt_broker_host localhost\n"
        "Options that are missing are read from EV_MODULE, EV_PREFIX, EV_MQTT_...",
        allow_abbrev=False,
    )
    for name, text in OPTIONS.items():
        parser.add_argument(name, metavar=name.rpartition("_")[2].lstrip("-").upper(), help=text)
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
