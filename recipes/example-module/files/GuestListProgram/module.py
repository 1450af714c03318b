"""A foreign module: EVerest's environment, its start-up conversation and its protocol, with paho and nothing else."""

import json
import os
import queue

import paho.mqtt.client as mqtt

PREFIX = os.environ["EV_MQTT_EVEREST_PREFIX"]
ME = os.environ["EV_MODULE"]
COMMAND = f"modules/{ME}/impl/main/cmd/validate_token"
inbox = queue.Queue()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_message = lambda _client, _data, message: inbox.put((message.topic, json.loads(message.payload)))
client.on_disconnect = lambda *_: os._exit(1)
if path := os.environ.get("EV_MQTT_BROKER_SOCKET_PATH"):
    client._transport = "unix"
    client.connect(path)
else:
    client.connect(os.environ["EV_MQTT_BROKER_HOST"], int(os.environ["EV_MQTT_BROKER_PORT"]))
client.loop_start()


def send(topic, msg_type, data):
    """Publish one message in EVerest's envelope."""
    client.publish(PREFIX + topic, json.dumps({"msg_type": msg_type, "data": data}), qos=2)


def my_configuration():
    """Ask the manager what this module was told, as a dictionary."""
    topic = f"modules/{ME}/response"
    there = queue.Queue()
    client.on_subscribe = lambda *_: there.put(True)
    client.subscribe(PREFIX + topic, qos=2)
    there.get(timeout=5)
    send("config/request", "ConfigurationRequest", {"type": "Get", "origin": ME, "request": {"type": "Module"}})
    answer = inbox.get(timeout=5)[1]["data"]["response"]["data"]["module_config"]
    return {one["name"]: one["value"] for one in answer["configuration_parameters"]["!module"]}


guests = my_configuration()["guests"].split()
client.subscribe(PREFIX + COMMAND, qos=2)
send(f"modules/{ME}/ready", "ModuleReady", True)
while True:
    topic, message = inbox.get()
    if topic != PREFIX + COMMAND:
        continue
    call = message["data"]
    known = call["args"]["provided_token"]["id_token"]["value"] in guests
    answer = {"authorization_status": "Accepted" if known else "Invalid", "tariff_messages": []}
    result = {"id": call["id"], "origin": ME, "retval": answer}
    send(f"{COMMAND}/response/{call['origin']}", "CmdResult", {"type": "result", "data": result})
