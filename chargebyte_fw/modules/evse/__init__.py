"""EvseManager: charging at one EVSE. `machine/` decides, `adapters/` connect it to other modules, `logs/` writes."""
