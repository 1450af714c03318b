"""A power supply as another vendor writes it for EVerest's Python API: it gives what is ordered, as soon as it is."""

import threading
from datetime import UTC, datetime

from everest.framework import Module, RuntimeSession, log

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


class ForeignSupply:
    def __init__(self):
        self.mode, self.phase, self.voltage_V, self.current_A, self.energy_Wh = "Off", "Other", 0.0, 0.0, 0.0
        self.ready, self.ends = threading.Event(), threading.Event()
        self.module = Module(RuntimeSession())
        log.update_process_name(self.module.info.id)
        self.setup = self.module.say_hello()
        for command in self.module.implementations["main"].commands:
            self.module.implement_command("main", command, getattr(self, command))
        for command in self.module.implementations["powermeter"].commands:
            self.module.implement_command("powermeter", command, lambda args: {"status": "NOT_SUPPORTED"})
        self.module.shutdown_handler(self.ends.set)
        self.module.init_done(self.ready.set)

    def setMode(self, args):
        self.mode, self.phase = args["mode"], args["phase"]
        self.module.publish_variable("main", "mode", self.mode)

    def setExportVoltageCurrent(self, args):
        self.voltage_V, self.current_A = args["voltage"], args["current"]

    def setImportVoltageCurrent(self, args):
        raise ValueError("it gives power in one direction only")

    def run(self):
        self.ready.wait()
        log.info("ready")
        self.module.publish_variable("main", "capabilities", CAPABILITIES)
        self.module.publish_variable("main", "mode", "Off")
        while not self.ends.wait(PERIOD_S):
            on = self.mode == "Export"
            flowing_A = self.current_A if on and self.phase == "Charging" else 0.0
            self.energy_Wh += self.voltage_V * flowing_A * PERIOD_S / 3600
            now = {"voltage_V": self.voltage_V if on else 0.0, "current_A": flowing_A}
            self.module.publish_variable("main", "voltage_current", now)
            stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            meter = {"timestamp": stamp, "energy_Wh_import": {"total": self.energy_Wh}}
            self.module.publish_variable("powermeter", "powermeter", meter)


ForeignSupply().run()
