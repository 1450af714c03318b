"""A broker for a machine without one: amqtt in a child process that ends with this one."""

from __future__ import annotations

import asyncio
import importlib.util
import sys

from chargebyte_fw.kernel import extras
from chargebyte_fw.kernel.errors import Unavailable
from chargebyte_fw.manager.mqtt.address import BrokerAddress

HOST = "127.0.0.1"
START_LIMIT_S = 15.0
READY = b"ready\n"
ADVICE = "pip install 'chargebyte-fw[demo]'"


def installed() -> bool:
    """Whether the broker's library is installed."""
    return importlib.util.find_spec("amqtt") is not None


def command(port: int) -> list[str]:
    """Return how the broker's process starts; it ends with its standard input."""
    return [sys.executable, "-m", __name__, str(port)]


class EmbeddedBroker:
    """The broker's process."""

    def __init__(self, port: int) -> None:
        self.address = BrokerAddress(HOST, port)
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start and wait until it takes connections; raises Unavailable with what to do."""
        if not installed():
            raise Unavailable(f"there is no embedded broker: {extras.lacking(('amqtt',))}")
        pipe = asyncio.subprocess.PIPE
        # It ends with its standard input, so with this process, however that ends.
        self._process = await asyncio.create_subprocess_exec(
            *command(self.address.port), stdin=pipe, stdout=pipe, stderr=pipe
        )
        stdout, stderr = self._process.stdout, self._process.stderr
        if stdout is None or stderr is None:
            raise Unavailable("the embedded broker has no output")
        try:
            async with asyncio.timeout(START_LIMIT_S):
                if await stdout.readline() == READY:
                    return
                reason = (await stderr.read()).decode("utf-8", "replace").strip().rpartition("\n")[2]
        except TimeoutError:
            reason = f"it did not start within {START_LIMIT_S:g} s"
        await self.stop()
        raise Unavailable(f"the embedded broker on {self.address}: {reason}")

    async def stop(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def serve(port: int) -> int:
    """Run the broker until standard input ends; exit status 1 when the port cannot be opened."""
    from amqtt.broker import Broker
    from amqtt.errors import BrokerError

    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    try:
        await broker.start()
    except (BrokerError, OSError) as error:
        print(f"{error.__cause__ or error}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    await broker.shutdown()
    return 0


if __name__ == "__main__":
    import logging

    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    sys.exit(asyncio.run(serve(int(sys.argv[1]))))
