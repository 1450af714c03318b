"""A charger with much to show: two EVSEs, a fault, limits of several sources, groups, a program that fails."""

from __future__ import annotations

from chargebyte_fw.kernel.faults import Severity
from chargebyte_fw.manager.status.model import (
    ActiveFault,
    Car,
    Evse,
    Help,
    Limit,
    Link,
    LinkState,
    Module,
    ModuleState,
    Process,
    Session,
    State,
    Status,
)


def charging() -> Evse:
    return Evse(
        id="connector_1",
        number=1,
        evse_id="DE*CHB*E123456*1",
        state=State.Charging,
        pilot="C",
        pwm_percent=5.0,
        car=Car(evcc_id="56:2F:33:97:B3:74", soc_percent=62.0, departure="2026-11-22T17:30:00Z"),
        protocol="ISO15118-2-2013",
        voltage_V={"DC": 402.3},
        current_A={"DC": 24.9},
        power_W=10017.0,
        session=Session(
            id="16dc62f8-5d56-4819-8b7a-4a149e888b85",
            since="2026-11-22T12:58:10.980Z",
            duration_s=1931.0,
            energy_Wh=5321.0,
            authorized_by="RFID",
        ),
        limits=[
            Limit(
                quantity="current",
                value=16.0,
                source="OCPP",
                who="OCPP",
                rules=True,
                until="2026-11-22T14:00:00Z",
                ends_in_s=1800.0,
            ),
            Limit(quantity="power", value=11040.0, source="OCPP", who="OCPP", rules=True, until="2026-11-22T14:00:00Z"),
            Limit(quantity="phases", value=3, source="node/module_config", who="the fuse of node", rules=True),
            Limit(quantity="current", value=32.0, source="node/module_config", who="the fuse of node"),
            Limit(quantity="power", value=150000.0, source="x update_max_watt_limit", who="the power supply"),
        ],
    )


def stopped() -> Evse:
    return Evse(
        id="connector_2",
        number=2,
        state=State.ChargingPausedEVSE,
        reason="Error",
        pilot="B",
        pwm_percent=100.0,
        car=Car(mac="00:B0:52:00:00:01"),
        protocol="IEC61851-1",
        voltage_V={"L1": 231.2, "L2": 229.8, "L3": 230.4},
        current_A={"L1": 0.0, "L2": 0.0, "L3": 0.0},
        power_W=0.0,
        session=Session(since="2026-11-22T13:25:00Z", duration_s=320.0, energy_Wh=211.0),
        help=Help.unplug,
        help_text="release the emergency stop once it is safe, then unplug and plug in again "
        "(evse_board_support/MREC8EmergencyStop)",
    )


def sample() -> Status:
    return Status(
        time="2026-11-22T13:30:21.123Z",
        source="/run/secc/control",
        configuration="/etc/everest/two-evses.yaml",
        version="0.1.0",
        ready=True,
        evses=[charging(), stopped()],
        faults=[
            ActiveFault(
                type="evse_board_support/MREC8EmergencyStop",
                message="the input ESTOP2 is open",
                module="bsp_2",
                implementation="evse_board_support",
                evse=2,
                since="2026-11-22T13:28:02.500Z",
                for_s=138.6,
                blocks=True,
                advice="release the emergency stop once it is safe, then unplug and plug in again",
            ),
            ActiveFault(
                type="powermeter/CommunicationFault",
                severity=Severity.Medium,
                message="no answer from the meter at /dev/ttyUSB0, address 5, for 10 s: is it powered, and is the bus "
                "terminated at both of its ends?",
                module="meter",
                since="2026-11-21T09:00:00Z",
                for_s=102621.0,
                advice="wait: it is tried again; if it stays, check power and cable of the device",
            ),
        ],
        modules=[
            Module(id="connector_1", name="EvseManager", group="charge", process="charge", state=ModuleState.running),
            Module(id="connector_2", name="EvseManager", group="charge", process="charge", state=ModuleState.running),
            Module(id="ocpp", name="OCPP201", group="cloud", process="cloud", state=ModuleState.running, restarts=2),
            Module(
                id="meter",
                name="GenericMeter",
                program=True,
                process="meter",
                state=ModuleState.waiting,
                restarts=4,
                reason="the program GenericMeter has ended (status 139)",
            ),
        ],
        processes=[
            Process(name="secc", kind="manager", pid=100, memory_MB=22.4),
            Process(name="charge", kind="group", pid=101, memory_MB=48.2, memory_limit_MB=160, modules=2),
            Process(name="cloud", kind="group", pid=102, restarts=1, memory_MB=41.0, memory_limit_MB=160, modules=1),
            Process(
                name="meter", kind="program", state=ModuleState.waiting, restarts=4, memory_limit_MB=256, modules=1
            ),
        ],
        links=[
            Link(name="MCU", of="bsp_1", state=LinkState.up, text="0.4.1 (Charge SOM)"),
            Link(name="MCU", of="bsp_2", state=LinkState.up, text="0.4.1 (Charge SOM)"),
            Link(name="PLC", of="slac", state=LinkState.up, text="matched"),
            Link(name="broker", state=LinkState.up, text="localhost:1883"),
            Link(name="CSMS", state=LinkState.down, text="wss://csms.example.com/ocpp, pause before the next attempt"),
        ],
        notices=["user-config/two-evses.yaml: unknown key colour"],
    )
