"""What is on the UART: framing, messages as declarations, differences between firmware generations."""
