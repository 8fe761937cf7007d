"""A broker on a loopback port, for the demo and the tests.

The real Mosquitto where it is installed, else amqtt from PyPI in a process of its own.
amqtt speaks MQTT 3.1.1 only and forgets everything when it stops; nothing that must not
be lost depends on either. With certificates and an access list it is Mosquitto or
nothing.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Literal

from edge.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SETTINGS_NAME = "mosquitto.conf"
BrokerKind = Literal["mosquitto", "amqtt"]
HOST = "127.0.0.1"
_START_TIMEOUT_S = 20.0
# Below the 32768 at which Linux begins with the ports of outgoing connections.
_FIRST_PORT, _LAST_PORT = 20000, 32767
_PORT_TRIES = 100
_STOP_TIMEOUT_S = 10.0
# Debian installs the daemon where an ordinary user's search path does not look.
_MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")


def find_mosquitto() -> str | None:
    """Return the path of the Mosquitto daemon, None if it is not installed."""
    path = os.pathsep.join((os.environ.get("PATH", ""), *_MORE_FOLDERS))
    return shutil.which("mosquitto", path=path)


def free_port() -> int:
    """Return a loopback TCP port that was free a moment ago.

    It lies outside the range from which the kernel takes the ports of outgoing
    connections, so that none of them occupies it before the server that it is meant for
    listens.

    Raises:
        LinkError: none of many ports is free.
    """
    for _ in range(_PORT_TRIES):
        port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT + 1)
        with socket.socket() as probe:
            # A server may listen where closed connections still linger.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    message = f"no free port from {_FIRST_PORT} to {_LAST_PORT} on {HOST}"
    raise LinkError(message)


class RunningBroker:
    """A broker process that can be stopped, killed and started again on its port."""

    def __init__(
        self, command: Sequence[str], port: int, kind: BrokerKind, log_path: Path
    ) -> None:
        self.host = HOST
        self.port = port
        self.kind = kind
        self._command = list(command)
        self._log_path = log_path
        self.process = self._launch()

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        """End the broker in good order; nothing happens if it has ended already."""
        self.process.terminate()
        try:
            self.process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the broker at once, as a power cut would."""
        self.process.kill()
        self.process.wait()

    def reload(self) -> None:
        """Have it read its certificates, revocations and access list again."""
        self.process.send_signal(signal.SIGHUP)

    def restart(self) -> None:
        """Start the broker again on its port, stopping it first if it runs.

        Raises:
            LinkError: it does not come up.
        """
        self.stop()
        self.process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        with self._log_path.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  our own command line
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self._await_port(process)
        except BaseException:
            process.kill()
            process.wait()
            raise
        return process

    def _await_port(self, process: subprocess.Popen[bytes]) -> None:
        deadline_s = time.monotonic() + _START_TIMEOUT_S
        while time.monotonic() < deadline_s:
            if process.poll() is not None:
                raise LinkError(
                    f"{self.kind} ended at once with status {process.returncode}; "
                    f"see {self._log_path}"
                )
            with contextlib.suppress(OSError):
                socket.create_connection((HOST, self.port), timeout=1.0).close()
                return
            time.sleep(0.02)
        raise LinkError(
            f"{self.kind} does not listen on port {self.port} after "
            f"{_START_TIMEOUT_S:.0f} s; see {self._log_path}"
        )


def start_broker(
    directory: Path, port: int, *, prefer: BrokerKind = "mosquitto"
) -> RunningBroker:
    """Start a broker on a loopback port and wait until it listens.

    It takes anonymous clients and keeps nothing on disk but its configuration and log,
    in directory. Mosquitto is used if it is preferred and installed, else amqtt.

    Raises:
        LinkError: the broker does not come up.
    """
    directory.mkdir(parents=True, exist_ok=True)
    daemon = find_mosquitto() if prefer == "mosquitto" else None
    log_path = directory / "broker.log"
    if daemon is None:
        command = [sys.executable, "-m", "edge.simulate.broker_amqtt", str(port)]
        return RunningBroker(command, port, "amqtt", log_path)
    settings = directory / SETTINGS_NAME
    settings.write_text(_mosquitto_settings(port), encoding="utf-8")
    command = [daemon, "-c", str(settings)]
    return RunningBroker(command, port, "mosquitto", log_path)


def start_secure_broker(
    directory: Path, port: int, files: Mapping[str, str]
) -> RunningBroker:
    """Start Mosquitto as configured by files, and wait until it listens on port.

    files: text by name, "mosquitto.conf" among them; they are written to directory,
    readable for their owner only, and replace what is there. Where this is the root
    user, the broker stays it: else it could not read them.

    Raises:
        LinkError: Mosquitto is not installed, or does not come up.
    """
    daemon = find_mosquitto()
    if daemon is None:
        raise LinkError("mosquitto is not installed; amqtt checks no certificates")
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    settings = directory / SETTINGS_NAME
    if os.geteuid() == 0:
        with settings.open("a", encoding="utf-8") as file:
            file.write("user root\n")
    command = [daemon, "-c", str(settings)]
    return RunningBroker(command, port, "mosquitto", directory / "broker.log")


def _mosquitto_settings(port: int) -> str:
    lines = [
        f"listener {port} {HOST}",
        "allow_anonymous true",
        "persistence false",
        "set_tcp_nodelay true",
        "max_queued_messages 10000",
        "max_inflight_messages 256",
        "log_type error",
        "log_type warning",
        "log_dest stderr",
    ]
    if os.name == "posix" and os.geteuid() == 0:
        # Else it drops to a user who may not read its folder.
        lines.append("user root")
    return "\n".join(lines) + "\n"
