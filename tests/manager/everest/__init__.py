"""EVerest's manager: life cycle, command line, prefix."""
