"""The driver: pilot, contactors, phases, plug lock and faults of one safety controller."""
