"""The machines of the DC power path and its supervision."""
