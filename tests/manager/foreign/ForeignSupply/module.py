"""A power supply as another vendor would write it: it gives what is ordered, as soon as it is ordered."""

import json
import os
import queue
import socket

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

PREFIX = os.environ["EV_MQTT_EVEREST_PREFIX"]
ME = os.environ["EV_MODULE"]
PERIOD_S = 0.05
CAPABILITIES = {
    "bidirectional": False,
    "max_export_voltage_V": 900,
    "min_export_voltage_V": 100,
    "max_export_current_A": 60,
    "min_export_current_A": 0,
    "max_export_power_W": 30000,
    "current_regulation_tolerance_A": 1,
    "peak_current_ripple_A": 1,
    "conversion_efficiency_export": 0.95,
}

inbox = queue.Queue()
client = mqtt.Client(CallbackAPIVersion.VERSION2)
client.on_message = lambda _c, _u, message: inbox.put((message.topic, message.payload))
client.on_disconnect = lambda *_: os._exit(1)
client.connect(os.environ["EV_MQTT_BROKER_HOST"], int(os.environ["EV_MQTT_BROKER_PORT"]))
client.socket().setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.loop_start()


def send(topic, msg_type, data):
    client.publish(PREFIX + topic, json.dumps({"msg_type": msg_type, "data": data}), qos=2)


def publish(implementation, name, value):
    send(f"modules/{ME}/impl/{implementation}/var/{name}", "Var", {"data": value})


acknowledged = queue.Queue()
client.on_subscribe = lambda *_: acknowledged.put(True)
commands = [f"main/cmd/{name}" for name in ("setMode", "setExportVoltageCurrent", "setImportVoltageCurrent")]
commands += [f"powermeter/cmd/{name}" for name in ("start_transaction", "stop_transaction")]
for topic in ("ready", *(f"modules/{ME}/impl/{command}" for command in commands)):
    client.subscribe(PREFIX + topic, qos=2)
    acknowledged.get(timeout=5)
send(f"modules/{ME}/ready", "ModuleReady", True)

mode, phase, voltage_V, current_A, energy_Wh = "Off", "Other", 0.0, 0.0, 0.0
while True:
    try:
        topic, payload = inbox.get(timeout=PERIOD_S)
    except queue.Empty:
        on = mode == "Export"
        flowing_A = current_A if on and phase == "Charging" else 0.0
        energy_Wh += voltage_V * flowing_A * PERIOD_S / 3600
        publish("main", "voltage_current", {"voltage_V": voltage_V if on else 0.0, "current_A": flowing_A})
        meter = {"timestamp": "2026-01-01T00:00:00.000Z", "energy_Wh_import": {"total": energy_Wh}}
        publish("powermeter", "powermeter", meter)
        continue
    message = json.loads(payload)
    if message["msg_type"] == "GlobalReady":
        publish("main", "capabilities", CAPABILITIES)
        publish("main", "mode", "Off")
        continue
    call = message["data"]
    if topic.endswith("/setMode"):
        mode, phase = call["args"]["mode"], call["args"]["phase"]
        publish("main", "mode", mode)
    elif topic.endswith("/setExportVoltageCurrent"):
        voltage_V, current_A = call["args"]["voltage"], call["args"]["current"]
    answer = {
        "id": call["id"],
        "origin": ME,
        "retval": {"status": "NOT_SUPPORTED"} if "/powermeter/" in topic else None,
    }
    client.publish(
        f"{topic}/response/{call['origin']}",
        json.dumps({"msg_type": "CmdResult", "data": {"type": "result", "data": answer}}),
        qos=2,
    )
