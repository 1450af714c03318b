"""The runtime of every module: machine, pump, module, bus, clock, faults, log, trace, store; it knows no car."""
