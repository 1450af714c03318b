"""MQTT beside the contracts: one connection on the event loop that comes back by itself."""
