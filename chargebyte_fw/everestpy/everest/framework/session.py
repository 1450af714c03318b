"""Where the broker is and below which topics: from the environment, or from the settings of a configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import log

DEFAULT_PORT = 1883


@dataclass(frozen=True)
class Broker:
    """A TCP port or, when `socket_path` is set, a Unix socket."""

    host: str = "localhost"
    port: int = DEFAULT_PORT
    socket_path: str | None = None


class RuntimeSession:
    """What is common to the modules of one run.

    `RuntimeSession()` reads the environment that EVerest's manager sets; a missing variable raises RuntimeError.
    `RuntimeSession(prefix, config_file)` takes broker and prefixes from the settings of a configuration, as EVerest's
    test helpers do. `ends_process`: the program is a module's process, which ends when the broker goes.
    """

    def __init__(self, prefix: str | None = None, config_file: str | None = None) -> None:
        if (prefix is None) != (config_file is None):
            raise TypeError("RuntimeSession takes a prefix and a configuration, or neither")
        self.ends_process = config_file is None
        if config_file is None:
            self._from_environment(os.environ)
        else:
            self._from_settings(_settings(Path(config_file)), os.environ)

    def _from_environment(self, environment: Mapping[str, str]) -> None:
        self.module_id = _needed(environment, "EV_MODULE")
        logging_file = Path(_needed(environment, "EV_LOG_CONF_FILE"))
        if not logging_file.is_file():
            raise RuntimeError(f"{logging_file}, which EV_LOG_CONF_FILE names, is not there")
        log.write_to_stderr(logging_file, self.module_id)
        self.everest_prefix = with_slash(environment.get("EV_MQTT_EVEREST_PREFIX", "everest"))
        self.external_prefix = environment.get("EV_MQTT_EXTERNAL_PREFIX", "")
        socket_path = environment.get("EV_MQTT_BROKER_SOCKET_PATH")
        if socket_path is not None:
            self.broker = Broker(socket_path=socket_path)
            return
        host = _needed(environment, "EV_MQTT_BROKER_HOST")
        self.broker = Broker(host, _port(_needed(environment, "EV_MQTT_BROKER_PORT")))

    def _from_settings(self, settings: Mapping[str, Any], environment: Mapping[str, str]) -> None:
        self.module_id = ""
        self.everest_prefix = with_slash(str(settings.get("mqtt_everest_prefix", "everest")))
        self.external_prefix = str(settings.get("mqtt_external_prefix", ""))
        socket_path = settings.get("mqtt_broker_socket_path")
        if socket_path:
            self.broker = Broker(socket_path=str(socket_path))
            return
        host = environment.get("MQTT_SERVER_ADDRESS") or settings.get("mqtt_broker_host", "localhost")
        port = environment.get("MQTT_SERVER_PORT") or settings.get("mqtt_broker_port", DEFAULT_PORT)
        self.broker = Broker(str(host), _port(str(port)))


def with_slash(prefix: str) -> str:
    """Return the prefix with the slash that separates it from a topic."""
    return prefix if not prefix or prefix.endswith("/") else f"{prefix}/"


def _needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name)
    if value is None:
        raise RuntimeError(f"the environment variable {name} is missing: EVerest's manager sets it")
    return value


def _port(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        log.warning(f"{text!r} is no port of a broker; {DEFAULT_PORT} is used")
        return DEFAULT_PORT


def _settings(path: Path) -> dict[str, Any]:
    # Only this old form needs a reader of YAML.
    import yaml

    document = yaml.load(path.read_text("utf-8"), Loader=yaml.SafeLoader)
    settings = document.get("settings") if isinstance(document, dict) else None
    return settings if isinstance(settings, dict) else {}
