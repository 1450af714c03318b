"""Discovery of EVerest's API modules, recorded from two of them."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from chargebyte_fw.kernel import clock
from chargebyte_fw.kernel.paths import Root
from chargebyte_fw.kernel.runtime import Runtime
from chargebyte_fw.manager.assembly import Assembly
from chargebyte_fw.manager.plan import ModulePlan
from chargebyte_fw.modules.api.everest_api.bridge import DISCOVER, QUERY, READY, Discovered
from chargebyte_fw.modules.api.everest_api.isolation_monitor_api import isolation_monitor_API
from chargebyte_fw.modules.api.everest_api.powermeter_api import powermeter_API
from tests.api.everest_api.broker import Broker
from tests.docs.interfaces.bridges import REPLY, Topic, compact


def discovery_topics() -> list[Topic]:
    """Return the topics, all of which have been tried."""
    return clock.run(_record(), speed=None)


async def _record() -> list[Topic]:
    broker: Any = Broker()
    with tempfile.TemporaryDirectory() as folder:
        runtime = Runtime(root=Root(Path(folder), Path(folder)))
        runtime.mqtt = broker
        assembly = Assembly(runtime)
        modules = {"imd": isolation_monitor_API, "meter": powermeter_API}
        assembly.build([ModulePlan(name, cls, cls.Config()) for name, cls in modules.items()])
        await assembly.start()
        ready = broker.last(READY)
        found = [
            _asked(broker, DISCOVER, DISCOVER, "Every API module replies with itself."),
            _asked(
                broker, QUERY + "powermeter", QUERY + "{api_type}", "Every API module of the type replies with itself."
            ),
        ]
        await assembly.stop()
    about = "The API modules are there; published once, as they start."
    return [*found, Topic(READY, None, json.dumps(ready), about=about, sent_by_client=False)]


def _asked(broker: Any, topic: str, name: str, about: str) -> Topic:
    request = json.dumps({"headers": {"replyTo": REPLY}})
    broker.client(topic, request)
    reply = [text for at, text in broker.published if at == REPLY][-1]
    return Topic(name, None, request, Discovered, compact(reply), about, sent_by_client=True)
