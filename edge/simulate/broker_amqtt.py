"""amqtt as a process: `python -m edge.simulate.broker_amqtt PORT`.

For the demo on machines without Mosquitto. The asyncio loop is amqtt's own way.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
import time

from amqtt.broker import Broker

_PARENT_CHECK_S = 0.5


async def serve(port: int) -> None:
    """Run the broker on a loopback port until SIGTERM or SIGINT."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {
                    "allow_anonymous": True
                }
            },
        }
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await broker.start()
    await stop.wait()
    await broker.shutdown()


def end_with_parent() -> None:
    """End this process when the one that started it has gone, however it went."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_CHECK_S)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    asyncio.run(serve(int(sys.argv[1])))
