"""The other side of every wire: safety controller, modems, car, power stage, and the worlds that join them."""
