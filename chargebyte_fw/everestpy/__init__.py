"""EVerest's Python API `everest.framework` in pure Python, for modules and test programs of others.

This directory is a place of Python's search path, as EVerest's `<prefix>/lib/everest/everestpy` is: `everest/` in it is
a namespace package, since other packages of EVerest have the same name. Nothing of it imports this product; it needs
paho-mqtt, and PyYAML for the old form of `RuntimeSession`.
"""

from pathlib import Path

SEARCH_PATH = Path(__file__).parent
"""What belongs in PYTHONPATH."""
