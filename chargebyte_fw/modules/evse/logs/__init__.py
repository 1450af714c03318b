"""The session log of integrators and the room that it may take."""
