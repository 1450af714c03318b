"""EVerest's API modules: one MQTT bridge for each interface, `everest_api/1/<type>/<module id>/...`."""
