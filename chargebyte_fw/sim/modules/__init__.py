"""The simulation as modules of a configuration: EVerest's simulators by their names, on what `sim/` has.

They are found by entry point like any module and loaded only where a configuration names them. Nothing else in the
product imports this folder.
"""
