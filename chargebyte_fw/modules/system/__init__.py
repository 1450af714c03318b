"""What the charger knows of itself and keeps over a restart: key-value stores, identity, history of errors."""
