"""The UART link to the safety controller: port, reset line, 100 ms cycle, dead man's handle."""
