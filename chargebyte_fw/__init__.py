"""EVerest's charging stack in Python: the firmware of a Linux charge controller."""

VERSION = "0.1.0"
