"""TestConfigTarget: accepts one changed parameter, asks for a reboot for another, refuses a third."""

from __future__ import annotations

import threading

from everest.framework import Module, RuntimeSession

ANSWERS = {
    "rw_param": {"status": "Accepted"},
    "rw_reboot_param": {"status": "RebootRequired"},
    "rw_reject_param": {"status": "Rejected", "reason": "not while it runs"},
}


def main() -> None:
    """Run until the manager ends it."""
    module = Module(RuntimeSession())
    module.say_hello()
    ended = threading.Event()
    module.shutdown_handler(ended.set)
    for name, answer in ANSWERS.items():
        module.register_config_change_handler("!module", name, lambda _value, answer=answer: answer)
    module.init_done()
    ended.wait()


if __name__ == "__main__":
    main()
