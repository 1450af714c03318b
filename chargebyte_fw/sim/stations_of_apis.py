"""Stations for EVerest's API modules, examples and meters: what a client of MQTT or a serial bus takes part in."""

from __future__ import annotations

from chargebyte_fw.sim.stations import Station, entry

SILENT_CLIENT = {"cfg_communication_check_to_s": 0, "cfg_heartbeat_interval_ms": 40000}
"""A client that is not watched."""
KEYS = "HeartbeatInterval,SecurityProfile,ExampleConfigurationKey"


def with_consumers(station: Station) -> Station:
    """Return a DC outlet whose state and limits are a client's as well."""
    ends = {
        "evse_manager_api": ("evse_manager_consumer_API", {"evse_manager": "evse_manager.evse"}),
        "auth_api": ("auth_consumer_API", {"auth": "auth.main"}),
        "history_consumer_api": ("error_history_consumer_API", {"error_history": "error_history.error_history"}),
        "external_energy_limits_consumer_api": (
            "external_energy_limits_consumer_API",
            {"energy_node": "api_sink.external_limits"},
        ),
        "dc_external_derate_api": ("dc_external_derate_consumer_API", {"derate": "evse_manager.dc_external_derate"}),
    }
    return station | {name: entry(module, SILENT_CLIENT, needs) for name, (module, needs) in ends.items()}


def with_displays(station: Station) -> Station:
    """Return a station under a CSMS whose messages and costs are shown in the log."""
    station["display_message"] = entry("TerminalDisplayMessage")
    station["session_cost"] = entry("TerminalCostAndPriceMessage", connections={"session_cost": "ocpp.session_cost"})
    station["ocpp"]["connections"]["display_message"] = [
        {"module_id": "display_message", "implementation_id": "display_message"}
    ]
    return station


def with_ocpp_client(station: Station) -> Station:
    """Return a station under a CSMS in which a client takes part."""
    ends = {"ocpp": "ocpp.ocpp_generic", "data_transfer": "ocpp.data_transfer"}
    station["ocpp_api"] = entry("ocpp_consumer_API", {"cfg_communication_check_to_s": 0}, ends)
    return with_displays(station)


def with_extension(station: Station) -> Station:
    """Return a station under a CSMS with EVerest's example of an extension."""
    ends = {"ocpp": "ocpp.ocpp_generic", "data_transfer": "ocpp.data_transfer"}
    station["ocpp_extension"] = entry("OCPPExtensionExample", {"keys_to_monitor": KEYS}, ends)
    station["ocpp"]["connections"]["data_transfer"] = [
        {"module_id": "ocpp_extension", "implementation_id": "data_transfer"}
    ]
    return station


def examples() -> Station:
    """Return EVerest's examples."""
    values = {"current": 42, "enum_test": "one", "enum_test2": 2}
    return {
        "store": entry("Store"),
        "example": entry("Example", connections={"kvs": "store.main"}, implementations={"example": values}),
        "example_user": entry("ExampleUser", connections={"example": "example.example"}),
    }


def meter() -> Station:
    """Return a meter on a serial bus, alone."""
    bus = {"serial_port": "/dev/ttyUSB0", "baudrate": 19200, "parity": 0, "ignore_echo": False}
    return {
        "serial_comm_hub": entry("SerialCommHub", implementations={"main": bus}),
        "PowerMeter": entry(
            "GenericPowermeter",
            connections={"serial_comm_hub": "serial_comm_hub.main"},
            implementations={"main": {"powermeter_device_id": 22, "model": "test_dummy"}},
        ),
    }
