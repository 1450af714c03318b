"""A module as a stranger would write it: plain paho, EVerest's environment, EVerest's start-up conversation."""

import json
import os
import queue
import socket
import sys
import time

import paho.mqtt.client as mqtt

PREFIX = os.environ["EV_MQTT_EVEREST_PREFIX"]
ME = os.environ["EV_MODULE"]
inbox = queue.Queue()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = lambda _c, _u, message: inbox.put((message.topic, message.payload))
client.on_disconnect = lambda *_: os._exit(1)
client.connect(os.environ["EV_MQTT_BROKER_HOST"], int(os.environ["EV_MQTT_BROKER_PORT"]))
client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.loop_start()


def send(topic, msg_type, data):
    client.publish(PREFIX + topic, json.dumps({"msg_type": msg_type, "data": data}), qos=2)


def next_message(limit_s=5):
    topic, payload = inbox.get(timeout=limit_s)
    return topic.removeprefix(PREFIX), json.loads(payload)


def get(topic, ask=None):
    """One step of the conversation: subscribe, perhaps ask, take the one answer, unsubscribe."""
    acknowledged = queue.Queue()
    client.on_subscribe = lambda *_: acknowledged.put(True)
    client.subscribe(PREFIX + topic, qos=2)
    acknowledged.get(timeout=5)
    if ask:
        send("config/request", "ConfigurationRequest", ask)
    found, message = next_message()
    assert found == topic and message["msg_type"] == "ConfigurationResponse", (found, message)
    client.unsubscribe(PREFIX + topic)
    return message["data"]


mine = get(f"modules/{ME}/response", {"type": "Get", "origin": ME, "request": {"type": "Module"}})
assert mine["status"] == "Ok", mine
config = mine["response"]["data"]["module_config"]
interfaces = get("interfaces")
definitions = {name: get(f"interface_definitions/{name}") for name in interfaces}
assert get("types") == []
settings = get("settings")
names = get("module_names")
manifests = {name: get(f"manifests/{name}") for name in set(names.values())}
assert names[ME] == config["module_name"] == "ForeignMonitor"
assert all(set(definition) == {"cmds", "vars", "errors"} for definition in definitions.values())
assert all("metadata" in manifest and "provides" in manifest for manifest in manifests.values())
value = {one["name"]: one for one in config["configuration_parameters"]["!module"]}
interval = config["configuration_parameters"]["main"][0]
assert value["resistance"]["characteristics"]["datatype"] == "number"
assert isinstance(value["resistance"]["value"], float) and isinstance(interval["value"], int)

IMPL = f"modules/{ME}/impl/main"
for command in definitions["isolation_monitor"]["cmds"]:
    client.subscribe(f"{PREFIX}{IMPL}/cmd/{command}", qos=2)
client.subscribe(PREFIX + "ready", qos=2)
send(f"modules/{ME}/metadata", "ConfigurationResponse", {"module": "ForeignMonitor", "provides": {}})
send(f"modules/{ME}/ready", "ModuleReady", True)


def error(msg_type, state):
    send(
        f"{IMPL}/error/isolation_monitor/DeviceFault",
        msg_type,
        {
            "type": "isolation_monitor/DeviceFault",
            "sub_type": "",
            "message": "no current",
            "description": "d",
            "severity": "Medium",
            "origin": {"module_id": ME, "implementation_id": "main"},
            "state": state,
            "timestamp": "2026-01-01T00:00:00.000Z",
            "uuid": "u-1",
            "vendor_id": "stranger",
        },
    )


running = False
globally_ready = False
while True:
    try:
        topic, message = next_message(interval["value"] / 1000 if running else 3600)
    except queue.Empty:
        send(f"{IMPL}/var/isolation_measurement", "Var", {"data": {"resistance_F_Ohm": value["resistance"]["value"]}})
        continue
    if message["msg_type"] == "GlobalReady":
        globally_ready = True
        continue
    call = message["data"]
    answer = {"id": call["id"], "origin": ME}
    if topic.endswith("/start"):
        if value["mode"]["value"] == "die":
            sys.exit(3)
        assert globally_ready
        running, answer["retval"] = True, None
    elif topic.endswith("/stop"):
        running, answer["retval"] = False, None
        error("ClearError", "ClearedByModule")
    elif call["args"]["test_voltage_V"] > 1000:
        answer["error"] = {"__everest__error_type": "HandlerException", "__everest__error_msg": "too high"}
        error("RaiseError", "Active")
    else:
        answer["retval"] = None
        time.sleep(0.01)
        send(f"{IMPL}/var/self_test_result", "Var", {"data": True})
    send(f"{topic}/response/{call['origin']}", "CmdResult", {"type": "result", "data": answer})
