"""Stations with two EVSEs, with and without OCPP, and every station by the name of its configuration in EVerest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from chargebyte_fw.sim.stations import (
    BPT,
    DC_SCRIPT,
    EIM_ONLY,
    ISO20_DC,
    OLD_PROTOCOLS,
    PWM_FIRST,
    SESSION_LOGS,
    Entry,
    Station,
    apis,
    authorization,
    car,
    energy,
    entry,
    history,
    hlc,
    multiplexer,
    one_ac,
    one_ac_iso20,
    one_dc,
    security,
    sink,
    tokens_by_hand,
)
from chargebyte_fw.sim.stations_of_apis import examples, meter, with_consumers, with_extension, with_ocpp_client

EVSES = ("evse_manager_1", "evse_manager_2")
ISO2_CAR: dict[str, Any] = {"device": "auto", "supported_ISO15118_2": True}


def outlet(number: int, ends: Mapping[str, str] | None = None, **config: Any) -> Entry:
    """Return the EVSE of an AC outlet."""
    board = f"yeti_driver_{number}"
    own = {"connector_id": number, "evse_id": f"DE*PNX*E12345*{number}", **SESSION_LOGS, **PWM_FIRST}
    found = {"bsp": f"{board}.board_support", "powermeter_grid_side": f"{board}.powermeter", **(ends or {})}
    return entry("EvseManager", {**own, "ac_hlc_enabled": False, **config}, found, evse=number)


def two_ac() -> Station:
    """Return two AC outlets, the first with ISO 15118-2 (config-sil-two-evse)."""
    station: Station = {
        "evse_manager_1": outlet(1, {"slac": "slac.evse", "hlc": "iso15118_charger.charger"}, ac_hlc_enabled=True),
        "evse_manager_2": outlet(2),
        "ev_manager_1": car("yeti_driver_1"),
        "iso15118_car": entry("PyEvJosev", ISO2_CAR),
        "slac": entry("SlacSimulator"),
        **hlc(tls_security="allow"),
        **security(),
        **history(),
        **authorization(EVSES, ""),
        **energy(EVSES, meter="yeti_driver_1"),
        **apis(EVSES, ("ev_manager_1", "ev_manager_2")),
    }
    del station["token_provider"]
    station |= tokens_by_hand()
    _present(station, "token_provider_1.main")
    for number in (1, 2):
        station[f"yeti_driver_{number}"] = entry("YetiSimulator", {"connector_id": number}, evse=number)
    second = {"connector_id": 2, "auto_enable": True, "auto_exec": False}
    station["ev_manager_2"] = entry("EvManager", second, {"ev_board_support": "yeti_driver_2.ev_board_support"})
    return station


def _present(station: Station, *providers: str) -> None:
    station["auth"]["connections"]["token_provider"] = [
        {"module_id": one.partition(".")[0], "implementation_id": one.partition(".")[2]} for one in providers
    ]


def two_ac_and_dc() -> Station:
    """Return a DC outlet and an AC outlet (config-sil-two-evse-dc)."""
    station = two_ac()
    dc = {"connector_id": 1, "evse_id": "DE*PNX*E12345*1", "evse_id_din": "49A80737A45678", "charge_mode": "DC"}
    for one in ("iso15118_charger", "iso15118_car", "slac"):
        del station[one]
    return station | {
        "iso15118_charger_1": hlc(tls_security="allow")["iso15118_charger"],
        "iso15118_car_1": entry("PyEvJosev", {"device": "auto", **OLD_PROTOCOLS}),
        "slac_1": entry("SlacSimulator"),
        "powersupply_dc": entry("DCSupplySimulator"),
        "imd": entry("IMDSimulator", implementations={"main": {"selftest_success": True}}),
        "ev_manager_1": car("yeti_driver_1", dc=True, ev="iso15118_car_1.ev", slac="slac_1.ev"),
        "evse_manager_1": entry(
            "EvseManager",
            {**dc, **SESSION_LOGS},
            {
                "bsp": "yeti_driver_1.board_support",
                "powermeter_car_side": "powersupply_dc.powermeter",
                "slac": "slac_1.evse",
                "hlc": "iso15118_charger_1.charger",
                "powersupply_DC": "powersupply_dc.main",
                "imd": "imd.main",
            },
        ),
    }


def energy_tree() -> Station:
    """Return two outlets that share a fuse smaller than both together (config-sil-energy-management)."""
    station = two_ac()
    del station["token_provider_1"]
    delay = {
        "request_zero_power_in_idle": False,
        "uk_smartcharging_random_delay_enable": True,
        "uk_smartcharging_random_delay_max_duration": 100,
        "uk_smartcharging_random_delay_at_any_change": False,
    }
    station["evse_manager_1"]["config_module"] |= delay
    for number, token in ((1, {"main": {"token": "TOKEN1"}}), (2, None)):
        evse = f"evse_manager_{number}"
        station[f"{evse}_sink"] = sink(evse, number)
        station[f"token_provider_{number}"] = entry(
            "DummyTokenProvider", connections={"evse": f"{evse}.evse"}, implementations=token
        )
    _present(station, "token_provider_1.main", "token_provider_2.main")
    station["auth"]["config_module"]["selection_algorithm"] = "PlugEvents"
    sinks = [f"{evse}_sink" for evse in EVSES]
    plan = {"schedule_total_duration": 2, "schedule_interval_duration": 15}
    cars = ("ev_manager_1", "ev_manager_2")
    return {
        **station,
        **energy(sinks, 20.0, meter="yeti_driver_1", **plan),
        **apis(EVSES, cars, sinks, random_delay="evse_manager_1.random_delay"),
    }


def ocpp(module: str, *, plug_and_charge: bool = False, **config: Any) -> Station:
    """Return two outlets under a CSMS; with `plug_and_charge` the first car pays by its contract."""
    station = two_ac()
    del station["token_validator"]
    old = module == "OCPP"
    ready = {"external_ready_to_start_charging": True, "request_zero_power_in_idle": True}
    ends = {"slac": "slac.evse", "hlc": "iso15118_charger.charger"}
    providers = ["token_provider_1.main", "ocpp.auth_provider"]
    if old and not plug_and_charge:
        ends["store"] = "persistent_store.main"
    for number, evse in enumerate(EVSES, 1):
        board = f"yeti_driver_{number}"
        kind = {} if plug_and_charge else {"connector_type": "cType2"}
        lock = {"connector_lock": f"{board}.connector_lock"} if old and not plug_and_charge else {}
        station[evse] = outlet(number, {**ends, **lock}, evse_id=str(number), **kind, **ready)
        station[f"{evse}_ocpp_sink"] = sink(evse, number)
        station[f"{evse}_api_sink"] = sink(f"{evse}_ocpp_sink", number, board)
        if plug_and_charge:
            providers.append(f"{evse}.token_provider")
    needs: dict[str, Any] = {
        "evse_manager": [f"{evse}.evse" for evse in EVSES],
        "reservation": "auth.reservation",
        "auth": "auth.main",
        "system": "system.main",
        "security": "evse_security.main",
        "evse_energy_sink": [
            "grid_connection_point.external_limits",
            *(f"{evse}_ocpp_sink.external_limits" for evse in EVSES),
        ],
    }
    if plug_and_charge:
        station["evse_manager_1"]["config_module"] |= {"evse_id": "DE*PNX*00001", "ac_hlc_enabled": True}
        speaks = {**ISO2_CAR, "tls_active": True, "is_cert_install_needed": True}
        station["iso15118_car"] = entry("PyEvJosev", speaks)
        station |= hlc(tls_security="allow", verify_contract_cert_chain=old)
        station["iso15118_charger"]["mapping"] = {"module": {"evse": 1}}
        needs["extensions_15118"] = "iso15118_charger.extensions"
    else:
        station["persistent_store"] = entry("PersistentStore")
    wait_s = 120 if plug_and_charge else 10 if old else 60
    choice = "PlugEvents" if plug_and_charge else "PlugEventsLIFO" if old else "FindFirst"
    station["auth"]["config_module"] = {"connection_timeout": wait_s, "selection_algorithm": choice}
    station["auth"]["connections"]["token_validator"] = [{"module_id": "ocpp", "implementation_id": "auth_validator"}]
    _present(station, *providers)
    station["ocpp"] = entry(module, config, needs)
    station["system"] = entry("System")
    station["ev_manager_2"] = car("yeti_driver_2", 2)
    sinks = [f"{evse}_api_sink" for evse in EVSES]
    station |= energy(sinks) | apis(EVSES, ("ev_manager_1", "ev_manager_2"), sinks, ocpp="ocpp.ocpp_generic")
    station["grid_connection_point"]["mapping"] = {"module": {"evse": 0}}
    return station


def by_rpc(station: Station, sinks: list[str], evses: list[str], **config: Any) -> Station:
    """Return a station with the JSON-RPC API in place of the MQTT APIs."""
    for one in ("ev_api", "api"):
        station.pop(one, None)
    limits = [f"{one}.external_limits" for one in ("grid_connection_point", *sinks)]
    ends = {"evse_manager": [f"{evse}.evse" for evse in evses], "evse_energy_sink": limits}
    station["api"] = entry("RpcApi", config, ends)
    station["grid_connection_point"]["mapping"] = {"module": {"evse": 0}}
    station["grid_connection_point"]["connections"]["energy_consumer"] = [
        {"module_id": one, "implementation_id": "energy_grid"} for one in sinks
    ]
    for number, (one, evse) in enumerate(zip(sinks, evses), 1):
        station[one] = sink(evse, number)
        station[evse]["mapping"] = {"module": {"evse": number}}
    return station


ANY_OLD: dict[str, Any] = {"hack_allow_bpt_with_iso2": True}
D20: dict[str, Any] = {**EIM_ONLY, **BPT}
V2G: dict[str, Any] = {
    "support_sae_j2847": True,
    "dc_discharge_max_current_limit": 30,
    "dc_discharge_max_power_limit": 11000,
    "dc_discharge_target_current": 15,
    "dc_discharge_v2g_minimal_soc": 30,
}
MUX_CAR: dict[str, Any] = {**OLD_PROTOCOLS, "supported_ISO15118_20_DC": True}
TLS_CAR: dict[str, Any] = {
    "supported_DIN70121": False,
    "supported_ISO15118_2": True,
    "tls_active": True,
    "enforce_tls": True,
}


def _sae(mode: str) -> Station:
    """Return a DC outlet that gives back what a car of SAE J2847-2 has to give."""
    mine: dict[str, Any] = {
        "sae_j2847_2_bpt_enabled": True,
        "sae_j2847_2_bpt_mode": mode,
        "hack_allow_bpt_with_iso2": False,
    }
    speaks = {"supported_DIN70121": False, "supported_ISO15118_2": True}
    return one_dc(hlc(tls_security="allow"), speaks, sunk=mode == "V2G", car_config=V2G, **mine)


def _mcs() -> Station:
    """Return a megawatt outlet."""
    speaks = {**ISO20_DC, "supported_d20_energy_services": "MCS"}
    return one_dc(hlc("Evse15118D20"), speaks, DC_SCRIPT, sunk=True, connector_type="cMCS", **D20)


STATIONS: dict[str, Callable[[], Station]] = {
    "config-empty-modules": dict,
    "config-sil": one_ac,
    "config-sil-ac-d20": one_ac_iso20,
    "config-example": examples,
    "config-sil-dc": lambda: one_dc(hlc(tls_security="allow"), OLD_PROTOCOLS, sunk=True, ovm=True, **ANY_OLD),
    "config-sil-dc-consumer-api": lambda: with_consumers(
        one_dc(hlc(tls_security="allow"), OLD_PROTOCOLS, sunk=True, ovm=True, **ANY_OLD)
    ),
    "config-sil-dc-d20": lambda: one_dc(hlc("Evse15118D20"), ISO20_DC, DC_SCRIPT, sunk=True, **D20),
    "config-sil-dc-isomux": lambda: one_dc(multiplexer("allow"), MUX_CAR, **ANY_OLD),
    "config-sil-dc-isomux-tls": lambda: one_dc(
        multiplexer("force"), {**TLS_CAR, "supported_ISO15118_20_DC": True}, **ANY_OLD, **EIM_ONLY
    ),
    "config-sil-dc-rpcapi": lambda: by_rpc(
        one_dc(hlc(tls_security="allow"), OLD_PROTOCOLS, ovm=True, **ANY_OLD),
        ["api_sink_evsemgr"],
        ["evse_manager"],
        websocket_port=8080,
    ),
    "config-sil-dc-sae-v2g": lambda: _sae("V2G"),
    "config-sil-dc-sae-v2h": lambda: _sae("V2H"),
    "config-sil-dc-tls": lambda: one_dc(
        hlc(tls_security="force", tls_key_logging=True), TLS_CAR, **ANY_OLD, **EIM_ONLY
    ),
    "config-sil-energy-management": energy_tree,
    "config-sil-gen-pm": meter,
    "config-sil-manager-lifecycle": lambda: {
        one: entry("ManagerLifecycleSimulator") for one in ("exit_simulator", "block_simulator")
    },
    "config-sil-mcs": _mcs,
    "config-sil-ocpp": lambda: ocpp("OCPP", ChargePointConfigPath="config-docker.json"),
    "config-sil-ocpp-API": lambda: with_ocpp_client(ocpp("OCPP", ChargePointConfigPath="config-docker.json")),
    "config-sil-ocpp-custom-extension": lambda: with_extension(
        ocpp("OCPP", ChargePointConfigPath="config-docker.json")
    ),
    "config-sil-ocpp-multi": lambda: ocpp("OCPPmulti", ChargePointConfigPath="config-docker.json", Mode="Only1.6"),
    "config-sil-ocpp-pnc": lambda: ocpp(
        "OCPP", plug_and_charge=True, ChargePointConfigPath="config-docker.json", PublishChargingScheduleIntervalS=0
    ),
    "config-sil-ocpp201": lambda: ocpp("OCPP201"),
    "config-sil-ocpp201-pnc": lambda: ocpp("OCPP201", plug_and_charge=True),
    "config-sil-rpcapi": lambda: by_rpc(one_ac(), ["api_sink_1_evsemgr"], ["connector_1"]),
    "config-sil-two-evse": two_ac,
    "config-sil-two-evse-dc": two_ac_and_dc,
    "config-sil-two-evse-rpcapi": lambda: by_rpc(two_ac(), [f"{evse}_api_sink" for evse in EVSES], list(EVSES)),
}
"""By the name of EVerest's file, without `.yaml`."""


def configuration(name: str) -> dict[str, Any]:
    """Return the configuration of a station of that name, as it is written to the file of that name."""
    return {"active_modules": STATIONS[name]()}
