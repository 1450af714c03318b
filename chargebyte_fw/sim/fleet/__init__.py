"""Many simulated charging stations that load a CSMS: `python -m chargebyte_fw.sim.fleet`.

Each is the station of the product (`modules/ocpp`), from its functional blocks to the WebSocket. What it has of its own
is the EVSE with a car (`evse.py`), and memory in place of the file.
"""
