"""Infypower rectifier modules on a CAN bus: their frames, the rules of a group of them, and the bus."""
