"""The `settings` of the configuration: the broker, the MQTT prefixes, the directory of modules."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chargebyte_fw.kernel.yaml_text import Place
from chargebyte_fw.manager.configuration.report import Report
from chargebyte_fw.manager.configuration.tree import Entry, MapNode

_TEXTS = (
    "mqtt_broker_socket_path",
    "mqtt_broker_host",
    "mqtt_everest_prefix",
    "mqtt_external_prefix",
    "modules_dir",
    "logging_config_file",
    "telemetry_prefix",
    "run_as_user",
    "configs_dir",
)
_PANEL = ("controller_port", "controller_rpc_timeout_ms")
_TRUTHS = ("telemetry_enabled", "validate_schema", "forward_exceptions")
_WITHOUT_EFFECT = {
    "prefix": "text",
    "config_file": "text",
    "schemas_dir": "text",
    "interfaces_dir": "text",
    "types_dir": "text",
    "errors_dir": "text",
    "www_dir": "text",
}
KNOWN = (*_TEXTS, *_TRUTHS, *_PANEL, "mqtt_broker_port", *_WITHOUT_EFFECT)


class Settings(msgspec.Struct, frozen=True):
    """Settings of the process as a whole."""

    broker_host: str = "localhost"
    broker_port: int = 1883
    broker_socket: str | None = None
    broker_named: bool = False
    """The file or the environment names the broker."""
    everest_prefix: str = "everest/"
    external_prefix: str = ""
    modules_dir: str | None = None
    """None: EVerest's usual directory."""
    logging_config_file: str | None = None
    """How programs of EVerest log (Boost.Log); None: the shipped file."""
    run_as_user: str = ""
    """Under whose name programs run; empty: that of this process."""
    telemetry_prefix: str = "everest-telemetry/"
    telemetry_enabled: bool = False
    validate_schema: bool = False
    """Programs of EVerest check each message that they send or receive."""
    forward_exceptions: bool = False
    """A program of EVerest goes on after a command of it has failed by an exception."""
    controller_port: int = 8849
    """Where the admin panel of `secc manager` listens; 0: at any port that is free."""
    controller_rpc_timeout_ms: int = 2000
    configs_dir: str | None = None
    """Where the admin panel finds configurations; None: EVerest's usual folder."""


def read_settings(node: MapNode | None, environment: Mapping[str, str], report: Report) -> Settings:
    """Check `settings`; the environment variables MQTT_SERVER_ADDRESS and MQTT_SERVER_PORT win, as in EVerest."""
    given = node.entries if node is not None else {}
    texts, truths, numbers = _values(given, report)
    settings = Settings(
        broker_host=texts.get("mqtt_broker_host", "localhost"),
        broker_port=numbers.get("mqtt_broker_port", 1883),
        broker_socket=texts.get("mqtt_broker_socket_path"),
        broker_named=any(key in given for key in ("mqtt_broker_host", "mqtt_broker_port", "mqtt_broker_socket_path")),
        everest_prefix=_with_slash(texts.get("mqtt_everest_prefix", "everest")),
        external_prefix=texts.get("mqtt_external_prefix", ""),
        modules_dir=texts.get("modules_dir"),
        logging_config_file=texts.get("logging_config_file"),
        run_as_user=texts.get("run_as_user", ""),
        telemetry_prefix=_with_slash(texts.get("telemetry_prefix", "everest-telemetry")),
        configs_dir=texts.get("configs_dir"),
        controller_port=numbers.get("controller_port", 8849),
        controller_rpc_timeout_ms=numbers.get("controller_rpc_timeout_ms", 2000),
        **truths,
    )
    host_from_outside = environment.get("MQTT_SERVER_ADDRESS")
    if settings.broker_socket is not None and ("mqtt_broker_host" in texts or host_from_outside):
        entry = given["mqtt_broker_socket_path"]
        other = "mqtt_broker_host" if "mqtt_broker_host" in texts else "the environment variable MQTT_SERVER_ADDRESS"
        report.error(
            entry.place,
            f"mqtt_broker_socket_path and {other} exclude each other",
            "leave one of them out",
            number="C030",
        )
    if host_from_outside:
        settings = msgspec.structs.replace(settings, broker_host=host_from_outside, broker_named=True)
    if settings.external_prefix and settings.external_prefix == settings.everest_prefix:
        entry = given["mqtt_external_prefix"]
        report.error(
            entry.place,
            f"mqtt_external_prefix is the same as mqtt_everest_prefix ({settings.everest_prefix})",
            number="C031",
        )
    return _port_from_outside(settings, environment, report)


def _values(given: Mapping[str, Entry], report: Report) -> tuple[dict[str, str], dict[str, bool], dict[str, int]]:
    """Return the texts, truth values and numbers by key."""
    texts: dict[str, str] = {}
    truths: dict[str, bool] = {}
    numbers: dict[str, int] = {}
    for key, entry in given.items():
        if key in _TEXTS:
            if (value := report.text(entry.node, key)) is not None:
                texts[key] = value
        elif key in _TRUTHS:
            if (truth := report.boolean(entry.node, key)) is not None:
                truths[key] = truth
        elif key in ("mqtt_broker_port", *_PANEL):
            number = _port(entry, report) if key == "mqtt_broker_port" else report.integer(entry.node, key)
            if number is not None:
                numbers[key] = number
        elif key in _WITHOUT_EFFECT:
            _look_at(entry, report)
        else:
            report.unknown_key(entry, "settings", KNOWN)
    return texts, truths, numbers


def _port_from_outside(settings: Settings, environment: Mapping[str, str], report: Report) -> Settings:
    text = environment.get("MQTT_SERVER_PORT")
    if not text:
        return settings
    if text.isascii() and text.isdigit() and 0 < int(text) < 65536:
        return msgspec.structs.replace(settings, broker_port=int(text), broker_named=True)
    report.warning(
        Place("environment"), f"MQTT_SERVER_PORT is not a port number: {text}", "it is ignored", number="C032"
    )
    return settings


def _port(entry: Entry, report: Report) -> int | None:
    port = report.integer(entry.node, entry.key)
    if port is not None and not 0 < port < 65536:
        report.error(entry.node.place, f"{entry.key} must be from 1 to 65535, not {port}", number="C033")
    return port


def _look_at(entry: Entry, report: Report) -> None:
    check = {"text": report.text, "integer": report.integer, "boolean": report.boolean}[_WITHOUT_EFFECT[entry.key]]
    if check(entry.node, entry.key) is not None:
        report.warning(entry.place, f"{entry.key} has no effect in this product", "it can be left out", number="C034")


def _with_slash(prefix: str) -> str:
    return prefix if not prefix or prefix.endswith("/") else prefix + "/"
