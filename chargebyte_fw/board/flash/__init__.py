"""Flashing the safety controller: its boot loader's protocol, firmware images, and who owns the UART."""
