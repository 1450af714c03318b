"""EVerest's data types: one file per EVerest type file, names and JSON shapes exactly as there."""
