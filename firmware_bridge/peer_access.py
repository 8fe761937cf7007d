"""Who is on the other end of a Unix domain socket, and may they be there."""

from __future__ import annotations

import os
import socket
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from firmware_bridge.errors import AccessDeniedError, SettingsError

if TYPE_CHECKING:
    from pathlib import Path

_CREDENTIALS: Final = struct.Struct("3i")
_BACKLOG: Final = 8
_GROUP_WRITE: Final = 0o020
_SO_PEERGROUPS: Final = 59  # asm-generic/socket.h, Linux 4.13
_MAX_GROUPS_BYTES: Final = 1024  # the most that Python's getsockopt takes


@dataclass(frozen=True)
class AccessRights:
    """Who may use the scanner, beside root and the server's own user.

    socket_mode: of the socket file; if the group may write, so may every member of the
    server's group. allowed_uids: further users.
    """

    socket_mode: int = 0o600
    allowed_uids: frozenset[int] = frozenset()

    def admit(self, connection: socket.socket) -> int:
        """Return the peer's user id as the kernel knows it.

        Raises:
            AccessDeniedError: the user is not admitted.
        """
        raw = connection.getsockopt(
            socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size
        )
        _pid, uid, gid = _CREDENTIALS.unpack(raw)
        is_user = uid in {0, os.getuid()} | self.allowed_uids
        is_member = os.getegid() in {gid, *_supplementary_groups(connection)}
        if not is_user and not (self.socket_mode & _GROUP_WRITE and is_member):
            raise AccessDeniedError(
                f"scanner: user id {uid} is not admitted; start the server with "
                f"--allow-uid {uid}, or with --socket-mode 660 for its group"
            )
        return int(uid)


def _supplementary_groups(connection: socket.socket) -> tuple[int, ...]:
    try:
        raw = connection.getsockopt(
            socket.SOL_SOCKET, _SO_PEERGROUPS, _MAX_GROUPS_BYTES
        )
    except OSError:
        # An old kernel, or a peer in more groups than fit: it has its user id only.
        return ()
    return struct.unpack(f"{len(raw) // 4}I", raw)


def listen_at(path: Path, mode: int) -> socket.socket:
    """Return a listening socket whose file never had wider rights than mode.

    Raises:
        SettingsError: another server listens there, or the path cannot be used.
    """
    if _is_served(path):
        raise SettingsError(f"socket {path}: another server listens there; stop it")
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        fresh.unlink(missing_ok=True)
        listener.bind(str(fresh))
        # Nobody can connect before listen(), so the rights are set in time.
        fresh.chmod(mode)
        listener.listen(_BACKLOG)
        fresh.replace(path)
    except OSError as error:
        listener.close()
        raise SettingsError(
            f"socket {path}: {error}; give a short path in an existing folder that "
            "this user may write"
        ) from error
    return listener


def _is_served(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
