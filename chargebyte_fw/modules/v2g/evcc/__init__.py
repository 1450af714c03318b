"""The car's side of a V2G session, from the search for the charger to the session's end, as one pure machine.

    facts = CarFacts(soc_percent=30.0, battery_voltage_V=354.0, target_voltage_V=360.0, target_current_A=120.0)
    car = Evcc(CarSettings(protocols=("ISO15118D2", "DIN70121"), energy_transfer_mode="DC_extended"), facts)
    pump = Pump(car, act, crash)                     # kernel/pump.py: the time comes from the event loop
    pump.feed(Start())                               # the data link is up (after SLAC)

    def act(effect):
        match effect:
            case SendSdp(data): udp.sendto(data, (sdp.MULTICAST, sdp.PORT))   # an answer: pump.feed(SdpAnswer(data))
            case Connect(address, port, tls): ...    # then Connected(tls_version) or Disconnected("refused")
            case Send(data, name): stream.write(data)                         # bytes: pump.feed(Received(data))
            case Close(): stream.close()
            case SetPilot(state): pilot.set(state)   # "B": S2 open, "C": S2 closed
            case Power(on): ...                      # the car's own contactors (DC), or its on-board charger (AC)
            case Report(step, what): log(step, what)
            case NewContract(standard, contract): ... # keep it: settings.keys of the next session
            case SessionStopped(outcome, reason): ...                         # "terminated", "paused" or "failed"

The owner writes what it wants and measures into `facts` (`facts.stop = True`, `facts.target_current_A = ...`) and feeds
`FactsChanged()` where the car should not wait for its next turn; values are taken fresh for each request. The machine
writes what the charger reported into `facts.charger` (values of the last CurrentDemandRes, limits). A paused session is
taken up by another `Evcc` whose settings carry its `session_id` and `paused`.

A protocol is a folder with a `protocol.py` whose `PROTOCOL` fulfils `evcc/protocol.py`; `registry.py` finds it. What
DIN SPEC 70121 and ISO 15118-2 share is in `common/`.
"""

from chargebyte_fw.modules.v2g.evcc import plug_and_charge
from chargebyte_fw.modules.v2g.evcc.connection import Evcc
from chargebyte_fw.modules.v2g.evcc.credentials import Credentials, Identity, KeyStore
from chargebyte_fw.modules.v2g.evcc.effects import (
    Close,
    Connect,
    NewContract,
    Power,
    Report,
    Send,
    SendSdp,
    SessionStopped,
    SetPilot,
    Step,
)
from chargebyte_fw.modules.v2g.evcc.events import Connected, Disconnected, FactsChanged, Received, SdpAnswer, Start
from chargebyte_fw.modules.v2g.evcc.facts import CarFacts, CarSettings, ChargerValues, Paused
from chargebyte_fw.modules.v2g.evcc.misbehaviour import Misbehaviour
from chargebyte_fw.modules.v2g.evcc.registry import protocols

__all__ = [
    "CarFacts",
    "CarSettings",
    "ChargerValues",
    "Close",
    "Connect",
    "Connected",
    "Credentials",
    "Disconnected",
    "Evcc",
    "FactsChanged",
    "Identity",
    "KeyStore",
    "Misbehaviour",
    "NewContract",
    "Paused",
    "Power",
    "Received",
    "Report",
    "SdpAnswer",
    "Send",
    "SendSdp",
    "SessionStopped",
    "SetPilot",
    "Start",
    "Step",
    "plug_and_charge",
]

protocols()  # import them now: later the charger waits
