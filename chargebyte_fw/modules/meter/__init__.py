"""Energy meters on a serial bus: Modbus RTU, and meters described by a file of their registers."""
