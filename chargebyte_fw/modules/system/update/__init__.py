"""A firmware update's life: the rules, what is kept of it over a restart, and RAUC behind D-Bus."""
