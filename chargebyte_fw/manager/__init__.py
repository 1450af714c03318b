"""Reads the configuration, finds modules, wires, starts, watches, stops; knows no module by name."""
