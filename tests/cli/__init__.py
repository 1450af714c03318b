"""The command `secc`."""
