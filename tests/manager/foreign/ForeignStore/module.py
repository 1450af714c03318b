"""A key-value store as another vendor writes it for EVerest's Python API: commands go to the store behind it."""

import threading

from everest.framework import Module, RuntimeSession, log

module = Module(RuntimeSession())
(behind,) = module.say_hello().connections["behind"]
ended = threading.Event()


def hand_on(command):
    return lambda args: module.call_command(behind, command, args)


for name in module.implementations["main"].commands:
    module.implement_command("main", name, hand_on(name))
module.shutdown_handler(ended.set)
module.init_done(lambda: log.info("ready"))
ended.wait()
