"""EVerest's Python API: a module that provides and requires interfaces, in a process of its own (EVerest 0.25)."""

from . import error, log
from .metadata import Configurations, Fulfillment, Interface, ModuleInfo, ModulePaths, ModuleSetup
from .module import Module
from .session import RuntimeSession
from .wire import CommandFailed

__version__ = "0.25.0"
__all__ = [
    "CommandFailed",
    "Configurations",
    "Fulfillment",
    "Interface",
    "Module",
    "ModuleInfo",
    "ModulePaths",
    "ModuleSetup",
    "RuntimeSession",
    "error",
    "log",
]
