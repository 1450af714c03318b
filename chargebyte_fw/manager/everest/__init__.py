"""EVerest's `manager` on this stack: its options, life cycle, status lines, exit codes, stored configurations."""
