"""File servers of other makers on the loop-back, and a line that can be cut."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import asyncssh
from aiohttp import web
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_FTPHandler
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "charger", "p@ss/word"
LOGIN = "charger:p%40ss%2Fword"


class Line:
    """A TCP line in front of a server: `cuts` holds after how many bytes to the client each connection breaks."""

    def __init__(self, port: int) -> None:
        self.target = port
        self.cuts: list[int] = []
        self.stalls = False
        self.connections = 0
        self.port = 0

    async def run(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        left = self.cuts.pop(0) if self.cuts else None
        there, back = await asyncio.open_connection("127.0.0.1", self.target)
        up = asyncio.ensure_future(self._copy(reader, back, None))
        try:
            await self._copy(there, writer, left)
            if self.stalls:
                await asyncio.sleep(3600)
        finally:
            up.cancel()
            for end in (writer, back):
                end.transport.abort()

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, left: int | None) -> None:
        try:
            while left is None or left > 0:
                data = await source.read(4096 if left is None else min(4096, left))
                if not data:
                    return
                left = None if left is None else left - len(data)
                target.write(data)
                await target.drain()
        except ConnectionError:
            return


@asynccontextmanager
async def line(port: int, *cuts: int, stalls: bool = False) -> AsyncIterator[Line]:
    it = Line(port)
    it.cuts, it.stalls = list(cuts), stalls
    server = await it.run()
    try:
        yield it
    finally:
        server.close()


@asynccontextmanager
async def http(folder: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[web.Request]]]:
    """GET (with ranges and entity tags) and PUT under a password, as a plain web server does it."""
    requests: list[web.Request] = []

    async def get(request: web.Request) -> web.StreamResponse:
        requests.append(request)
        path = folder / request.match_info["name"]
        return web.FileResponse(path) if path.is_file() else web.Response(status=404)

    async def put(request: web.Request) -> web.Response:
        requests.append(request)
        (folder / request.match_info["name"].replace("/", "_")).write_bytes(await request.read())
        return web.Response(status=201)

    async def move(request: web.Request) -> web.Response:
        return web.Response(status=307, headers={"Location": f"/{request.match_info['name']}"})

    async def endless(request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse()
        await answer.prepare(request)
        while True:
            await answer.write(bytes(65536))

    @web.middleware
    async def locked(request: web.Request, handler: Any) -> Any:
        if request.path.startswith("/private/"):
            import base64

            given = request.headers.get("Authorization", "").removeprefix("Basic ")
            if given != base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode():
                return web.Response(status=401)
        return await handler(request)

    app = web.Application(middlewares=[locked], client_max_size=1 << 30)
    for prefix in ("", "/private"):
        app.router.add_get(prefix + "/{name}", get)
        app.router.add_put(prefix + "/{name}", put)
    app.router.add_put("/moved/{name}", move)
    app.router.add_get("/endless/{name}", endless)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1], requests  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


@asynccontextmanager
async def moved_to(base: str, status: int = 307) -> AsyncIterator[int]:
    """A server that sends each request for `/name` to the same name below `base`."""

    async def move(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": base + request.match_info["name"]})

    app = web.Application(client_max_size=1 << 30)
    app.router.add_route("*", "/{name}", move)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


class CutData(DTPHandler):  # type: ignore[misc]
    """A data connection that breaks after so many bytes of the server's `cuts`."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        cuts = self.cmd_channel.server.cuts
        self.left = cuts.pop(0) if cuts else None
        # Small pieces, so that the break comes in the middle.
        self.ac_out_buffer_size = 4096
        self.ac_in_buffer_size = 4096

    def _spent(self, count: int) -> None:
        if self.left is not None:
            self.left -= count
            if self.left <= 0:
                self.cmd_channel.close()
                self.close()

    def send(self, data: bytes) -> int:
        sent: int = super().send(data)
        self._spent(sent)
        return sent

    def recv(self, size: int) -> bytes:
        data: bytes = super().recv(size)
        self._spent(len(data))
        return data


@contextmanager
def ftp(folder: Path, *cuts: int, pem: Path | None = None) -> Iterator[tuple[int, list[str]]]:
    """pyftpdlib in a thread; yields the port and the commands that came. With `pem` it insists on TLS."""
    commands: list[str] = []
    if pem is not None:
        with _ftps(folder, pem) as port:
            yield port, commands
        return

    class Handler(FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()
        dtp_handler = CutData
        banner = "ready"
        # Past our counting hand.
        use_sendfile = False

        def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
            commands.append(line)
            super().pre_process_command(line, cmd, arg)

    Handler.authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    with _serving(Handler, list(cuts)) as port:
        yield port, commands


@contextmanager
def _ftps(folder: Path, pem: Path) -> Iterator[int]:
    class Handler(TLS_FTPHandler):  # type: ignore[misc]
        authorizer = DummyAuthorizer()
        certfile = str(pem)
        tls_control_required = True
        tls_data_required = True

    Handler.authorizer.add_user(USER, PASSWORD, str(folder), perm="elradfmwMT")
    with _serving(Handler, []) as port:
        yield port


@contextmanager
def _serving(handler: Any, cuts: list[int]) -> Iterator[int]:
    server = FTPServer(("127.0.0.1", 0), handler)
    server.cuts = cuts
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            server.serve_forever(timeout=0.05, blocking=False, handle_exit=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.address[1]
    finally:
        stopping.set()
        thread.join(5)
        server.close_all()


class Login(asyncssh.SSHServer):
    """One user with a password."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)


@asynccontextmanager
async def sftp(folder: Path, key: Any = None) -> AsyncIterator[int]:
    """asyncssh's server, its root in `folder`."""
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Login,
        server_host_keys=[key or asyncssh.generate_private_key("ssh-ed25519")],
        sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=str(folder).encode()),
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
