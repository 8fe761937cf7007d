"""Certificates and the password, read from the files that the settings name."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError

if TYPE_CHECKING:
    from edge.sync.settings import BrokerSettings

_MAX_PASSWORD_BYTES = 4096


class _TidySocket(ssl.SSLSocket):
    """Closes itself when the handshake fails; paho would leave it open."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002  as in ssl
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(settings: BrokerSettings) -> ssl.SSLContext | None:
    """Return the context for a broker with TLS 1.3; None if no cafile is set.

    The files are read anew by each call, so that a renewed certificate is used at the
    next connection.

    Raises:
        ConfigurationError: a file is missing, unreadable or no certificate or key, or a
            client certificate is given without a cafile.
    """
    if settings.cafile is None:
        if settings.certfile is not None or settings.keyfile is not None:
            raise ConfigurationError(
                "broker: a client certificate needs the broker's CA file as well"
            )
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.cafile))
        context.sslsocket_class = _TidySocket
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if settings.certfile is not None:
            # An empty password: else OpenSSL asks for one at the terminal, and waits.
            context.load_cert_chain(settings.certfile, settings.keyfile, password="")
    except (OSError, ssl.SSLError) as error:
        raise ConfigurationError(
            f"broker: cannot use the certificates ({settings.cafile}, "
            f"{settings.certfile}, {settings.keyfile}): {error}"
        ) from None
    return context


def read_password(settings: BrokerSettings) -> str | None:
    """Return the password without its line end; None if no file is set.

    Raises:
        ConfigurationError: the file is missing, unreadable, empty or too long.
    """
    path = settings.password_file
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_PASSWORD_BYTES + 1)
        password = raw.decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"{path}: cannot read the broker's password: {error}"
        ) from None
    if not password or len(raw) > _MAX_PASSWORD_BYTES:
        raise ConfigurationError(
            f"{path}: the broker's password must have 1 to {_MAX_PASSWORD_BYTES} bytes"
        )
    return password
