"""A web server in a thread of the process that owns it."""

from __future__ import annotations

import ssl
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from edge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STOP_S = 5.0


@contextmanager
def serving(
    app: Any,  # noqa: ANN401  an ASGI callable
    *,
    host: str,
    port: int,
    key: str,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[None]:
    """Serve an application until the block ends.

    key: section of the configuration, for messages. certificate: PEM files of
    certificate and key, for TLS.

    Raises:
        ConfigurationError: the port is taken, or the certificate cannot be used.
    """
    if certificate is not None:
        _require_usable(certificate, key)
    certificate_file, key_file = certificate or (None, None)
    settings = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate_file,
        ssl_keyfile=key_file,
    )
    server = _Server(settings)
    thread = threading.Thread(target=server.run, name="web", daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                message = f"{key}.port: cannot listen on {host}:{port}; is it taken?"
                raise ConfigurationError(message)
            thread.join(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(STOP_S)


def _require_usable(certificate: tuple[Path, Path], key: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(*certificate)
    except (OSError, ssl.SSLError) as error:
        message = f"{key}.certificate_file: cannot be used: {error}"
        raise ConfigurationError(message) from error


class _Server(uvicorn.Server):
    """Leaves the signals to the process, which has more than a web server to stop."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
