"""The other side of every wire: MCU, modem, car, power stage, grid, and the virtual clock."""
