"""Stations without hardware, as EVerest's configurations under the names that its tests and tools know.

A station is put together from parts: EVSEs with their simulated board, car and data link, authorization, the energy
tree, the API, OCPP. The result has EVerest's module ids and connections, which test programs refer to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Entry = dict[str, Any]
Station = dict[str, Entry]

TOKEN_TOPIC = "everest_api/dummy_token_provider/cmd/provide"
AC_SCRIPT = "sleep 1;iec_wait_pwr_ready;sleep 1;draw_power_regulated 16,3;sleep 30;unplug"
AC_HLC_SCRIPT = (
    "sleep 3;iso_wait_slac_matched;iso_start_v2g_session AC;iso_wait_pwr_ready;iso_draw_power_regulated 16,3;"
    "iso_wait_for_stop 20;iso_wait_v2g_session_stopped;unplug"
)
DC_SCRIPT = (
    "sleep 3;iso_wait_slac_matched;iso_start_v2g_session DC;iso_wait_pwr_ready;iso_dc_power_on;iso_wait_for_stop 15;"
    "iso_wait_v2g_session_stopped;unplug;"
)
SESSION_LOGS: dict[str, Any] = {
    "session_logging": True,
    "session_logging_xml": False,
    "session_logging_path": "/tmp/everest-logs",
}
PWM_FIRST: dict[str, Any] = {"ac_hlc_use_5percent": False, "ac_enforce_hlc": False}
BPT: dict[str, Any] = {"bpt_channel": "Unified", "bpt_generator_mode": "GridFollowing"}
EIM_ONLY: dict[str, Any] = {"payment_enable_contract": False}
OLD_PROTOCOLS: dict[str, Any] = {"supported_DIN70121": True, "supported_ISO15118_2": True}
NO_OLD_PROTOCOLS: dict[str, Any] = {"supported_DIN70121": False, "supported_ISO15118_2": False}
TLS13: dict[str, Any] = {"tls_active": True, "enable_tls_1_3": True}
ISO20_DC: dict[str, Any] = {**NO_OLD_PROTOCOLS, "supported_ISO15118_20_DC": True, **TLS13}


def entry(
    module: str,
    config: Mapping[str, Any] | None = None,
    connections: Mapping[str, str | Sequence[str]] | None = None,
    *,
    implementations: Mapping[str, Any] | None = None,
    evse: int | None = None,
) -> Entry:
    """Return an entry of `active_modules`; a connection is written `module id.implementation id`."""
    made: Entry = {"module": module}
    if config:
        made["config_module"] = dict(config)
    if implementations:
        made["config_implementation"] = dict(implementations)
    if connections:
        made["connections"] = {name: _ends(ends) for name, ends in connections.items()}
    if evse is not None:
        made["mapping"] = {"module": {"evse": evse}}
    return made


def _ends(ends: str | Sequence[str]) -> list[dict[str, str]]:
    found = []
    for end in [ends] if isinstance(ends, str) else ends:
        module_id, _, implementation_id = end.partition(".")
        found.append({"module_id": module_id, "implementation_id": implementation_id})
    return found


def car(board: str, number: int = 1, script: str = AC_SCRIPT, *, dc: bool = False, **more: Any) -> Entry:
    """Return the car's side of a connector: it follows a script."""
    config: dict[str, Any] = {"connector_id": number, "auto_enable": True, "auto_exec": False}
    config["auto_exec_commands"] = script
    if dc:
        config |= {"dc_target_current": 20, "dc_target_voltage": 400}
    ends = {"ev": more.pop("ev", "iso15118_car.ev"), "ev_board_support": f"{board}.ev_board_support"}
    ends["slac"] = more.pop("slac", "slac.ev")
    return entry("EvManager", config | more, ends)


def security() -> Station:
    """Return the certificates, as `secc prefix` makes them."""
    return {"evse_security": entry("EvseSecurity", {"private_key_password": "123456"})}


def history() -> Station:
    """Return the history of errors."""
    return {
        "error_history": entry(
            "ErrorHistory", implementations={"error_history": {"database_path": "/tmp/error_history.db"}}
        )
    }


def authorization(evses: Sequence[str], token: str, algorithm: str = "FindFirst", **config: Any) -> Station:
    """Return authorization by a provider that presents a token with each car, and a validator that accepts it."""
    validator = {"sleep": 0.25, "validation_reason": "Token seems valid", "validation_result": "Accepted"}
    return {
        "auth": entry(
            "Auth",
            {"connection_timeout": 10, "selection_algorithm": algorithm, **config},
            {
                "token_provider": "token_provider.main",
                "token_validator": "token_validator.main",
                "evse_manager": [f"{evse}.evse" for evse in evses],
            },
        ),
        "token_provider": entry(
            "DummyTokenProvider",
            connections={"evse": f"{evses[0]}.evse"},
            implementations={"main": {"token": token, "timeout": 10}},
        ),
        "token_validator": entry("DummyTokenValidator", implementations={"main": validator}),
    }


def tokens_by_hand() -> Station:
    """Return a provider that presents what comes on its MQTT topic."""
    return {
        "token_provider_1": entry("DummyTokenProviderManual", implementations={"main": {"mqtt_topic": TOKEN_TOPIC}})
    }


def energy(consumers: Sequence[str], fuse_A: float = 40.0, *, meter: str | None = None, **config: Any) -> Station:
    """Return the root of the energy tree and what shares it out."""
    ends: dict[str, str | Sequence[str]] = {"energy_consumer": [f"{one}.energy_grid" for one in consumers]}
    if meter is not None:
        ends["powermeter"] = f"{meter}.powermeter"
    return {
        "energy_manager": entry(
            "EnergyManager",
            {"schedule_interval_duration": 60, "schedule_total_duration": 1, "debug": False, **config},
            {"energy_trunk": "grid_connection_point.energy_grid"},
        ),
        "grid_connection_point": entry("EnergyNode", {"fuse_limit_A": fuse_A, "phase_count": 3}, ends),
    }


def sink(consumer: str, evse: int, meter: str | None = None) -> Entry:
    """Return a node at which one EVSE is limited from outside."""
    ends = {"energy_consumer": f"{consumer}.energy_grid"}
    if meter is not None:
        ends["powermeter"] = f"{meter}.powermeter"
    return entry("EnergyNode", {"fuse_limit_A": 32.0, "phase_count": 3}, ends, evse=evse)


def apis(
    evses: Sequence[str], cars: Sequence[str] = ("ev_manager",), sinks: Sequence[str] = (), **more: Any
) -> Station:
    """Return the APIs of the station and of its cars."""
    ends: dict[str, Any] = {
        "evse_manager": [f"{evse}.evse" for evse in evses],
        "error_history": "error_history.error_history",
    }
    if sinks:
        ends["evse_energy_sink"] = [f"{one}.external_limits" for one in sinks]
    return {
        "api": entry("API", connections=ends | more),
        "ev_api": entry("EvAPI", connections={"ev_manager": [f"{one}.ev_manager" for one in cars]}),
    }


def hlc(module: str = "EvseV2G", **config: Any) -> Station:
    """Return what talks ISO 15118 to the car."""
    return {"iso15118_charger": entry(module, {"device": "auto", **config}, {"security": "evse_security.main"})}


def multiplexer(tls: str) -> Station:
    """Return the multiplexer with one module for each generation of the protocol behind it."""
    inside = {"device": "lo", "enable_sdp_server": False}
    store = {"security": "evse_security.main"}
    return {
        "iso15118_2": entry("EvseV2G", {**inside, "tls_security": "allow"}, store),
        "iso15118_20": entry("Evse15118D20", {**inside, "tls_negotiation_strategy": "ACCEPT_CLIENT_OFFER"}, store),
        "iso_mux": entry(
            "IsoMux",
            {"device": "auto", "tls_security": tls},
            {
                **store,
                "iso2": "iso15118_2.charger",
                "iso20": "iso15118_20.charger",
                "ext2": "iso15118_2.extensions",
                "ext20": "iso15118_20.extensions",
            },
        ),
    }


def one_ac() -> Station:
    """Return one AC outlet, PWM or ISO 15118-2 as the car likes (config-sil)."""
    evse, board = "connector_1", "connector_1_powerpath"
    config = {
        **SESSION_LOGS,
        **PWM_FIRST,
        "ac_hlc_enabled": True,
        "ac_nominal_voltage": 230,
        "charge_mode": "AC",
        "connector_id": 1,
        "ev_receipt_required": False,
        "evse_id": "DE*PNX*E12345*1",
        "has_ventilation": True,
        "payment_enable_contract": True,
        "payment_enable_eim": True,
        "switch_3ph1ph_delay_s": 5,
        "switch_3ph1ph_cp_state": "X1",
    }
    phases: dict[str, Any] = {
        "switch_3ph1ph_while_charging_mode": "Both",
        "switch_3ph1ph_max_nr_of_switches_per_session": 5,
        "switch_3ph1ph_time_hysteresis_s": 20,
        "switch_3ph1ph_power_hysteresis_W": 1000,
        "switch_3ph1ph_switch_limit_stickyness": "SinglePhase",
        "schedule_total_duration": 10,
    }
    station = {
        evse: entry(
            "EvseManager",
            config,
            {
                "bsp": f"{board}.board_support",
                "hlc": "iso15118_charger.charger",
                "powermeter_grid_side": f"{board}.powermeter",
                "slac": "slac.evse",
                "ac_rcd": f"{board}.rcd",
                "connector_lock": f"{board}.connector_lock",
            },
        ),
        board: entry("YetiSimulator", {"connector_id": 1}),
        "ev_manager": car(board),
        "iso15118_car": entry("PyEvJosev", {"device": "auto", "supported_ISO15118_2": True}),
        "slac": entry("SlacSimulator"),
        "persistent_store": entry("PersistentStore", {"sqlite_db_file_path": "everest_persistent_store.db"}),
        **hlc(tls_security="allow", supported_DIN70121=False),
        **security(),
        **history(),
        **authorization(
            [evse],
            "DEADBEEF",
            prioritize_authorization_over_stopping_transaction=True,
            ignore_connector_faults=True,
        ),
        **energy([evse], 40.0, **phases),
        **apis([evse]),
    }
    for one in (evse, board):
        station[one]["telemetry"] = {"id": 1}
    return station


def one_ac_iso20() -> Station:
    """Return one AC outlet with ISO 15118-20 (config-sil-ac-d20)."""
    station = one_ac()
    evse, board = station.pop("connector_1"), "connector_1_powerpath"
    evse["config_module"] |= {**EIM_ONLY, **BPT, "supported_iso_ac_bpt": True, "bpt_grid_code_island_method": "Passive"}
    evse["connections"]["powermeter_car_side"] = evse["connections"].pop("powermeter_grid_side")
    for one in ("persistent_store", "ev_api"):
        del station[one]
    ac = {
        "supported_ISO15118_20_AC": True,
        "supported_ISO15118_20_DC": False,
        "supported_d20_energy_services": "AC_BPT,AC",
    }
    return station | {
        "evse_manager": evse,
        "iso15118_car": entry("PyEvJosev", {"device": "auto", **NO_OLD_PROTOCOLS, **ac, **TLS13}),
        "ev_manager": car(board, script=AC_HLC_SCRIPT),
        "api_sink": sink("evse_manager", 1),
        **hlc("Evse15118D20"),
        **authorization(["evse_manager"], "DEADBEEF"),
        **energy(["api_sink"], meter=board),
        "api": apis(["evse_manager"], sinks=["api_sink"])["api"],
    }


def one_dc(
    speaker: Station,
    car_speaks: Mapping[str, Any],
    script: str = AC_SCRIPT,
    *,
    sunk: bool = False,
    ovm: bool = False,
    car_config: Mapping[str, Any] | None = None,
    **config: Any,
) -> Station:
    """Return one DC outlet; `speaker` talks to the car, `sunk`: its energy node can be limited from outside."""
    board, evse = "yeti_driver", "evse_manager"
    ends = {
        "bsp": f"{board}.board_support",
        "powermeter_car_side": "powersupply_dc.powermeter",
        "slac": "slac.evse",
        "hlc": "iso_mux.charger" if "iso_mux" in speaker else "iso15118_charger.charger",
        "powersupply_DC": "powersupply_dc.main",
        "imd": "imd.main",
        **({"over_voltage_monitor": "ovm.main"} if ovm else {}),
    }
    own = {"connector_id": 1, "evse_id": "DE*PNX*E12345*1", "evse_id_din": "49A80737A45678", "charge_mode": "DC"}
    station = {
        evse: entry("EvseManager", {**own, **SESSION_LOGS, **config}, ends),
        board: entry("YetiSimulator", {"connector_id": 1}),
        "powersupply_dc": entry("DCSupplySimulator"),
        "imd": entry("IMDSimulator", implementations={"main": {"selftest_success": True}}),
        "ev_manager": car(board, script=script, dc=True, **(car_config or {})),
        "iso15118_car": entry("PyEvJosev", {"device": "auto", **car_speaks}),
        "slac": entry("SlacSimulator"),
        **speaker,
        **security(),
        **history(),
        **authorization([evse], "TOKEN1"),
        **energy(["api_sink" if sunk else evse], meter=board),
        **apis([evse], sinks=["api_sink"] if sunk else ()),
    }
    if sunk:
        station["api_sink"] = sink(evse, 1)
    if ovm:
        station["ovm"] = entry(
            "OVMSimulator",
            connections={"power_supply": "powersupply_dc.main"},
            implementations={"main": {"simulate_emergency_shutdown": False, "simulate_error_delay": 5}},
        )
        station["imd"]["config_implementation"]["main"]["resistance_F_Ohm"] = 900000
    return station
