"""The program: ``python -m pipeline.local.clickhouse_http FOLDER PORT``; user and password in the environment."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from aiohttp import web

from pipeline.local.clickhouse_http.call import Credentials
from pipeline.local.clickhouse_http.engine import Engine
from pipeline.local.clickhouse_http.server import HttpServer
from pipeline.local.ports import LOOPBACK

USER_VARIABLE = "CLICKHOUSE_USER"
PASSWORD_VARIABLE = "CLICKHOUSE_PASSWORD"  # noqa: S105  the name of the variable, not the password
CLOSE_SECONDS = 5.0


async def serve(folder: Path, port: int) -> None:
    """Serve the engine of ``folder`` on the loopback interface until SIGTERM or SIGINT."""
    uploads = folder / "uploads"
    uploads.mkdir(parents=True, exist_ok=True)
    for left in uploads.iterdir():
        left.unlink()  # by a run that was killed in the middle of an insert
    engine = Engine(folder / "data")
    credentials = Credentials(os.environ.get(USER_VARIABLE, "default"), os.environ.get(PASSWORD_VARIABLE, ""))
    server = HttpServer(engine, credentials, uploads)
    runner = web.AppRunner(
        server.application(),
        auto_decompress=False,
        handler_cancellation=True,
        access_log=None,
        shutdown_timeout=CLOSE_SECONDS,
    )
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port).start()
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await runner.cleanup()
    server.close()
    engine.close()


def main() -> None:
    """Take the arguments and serve."""
    asyncio.run(serve(Path(sys.argv[1]).absolute(), int(sys.argv[2])))
    # The engine's threads need no farewell: everything is on disk.
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
