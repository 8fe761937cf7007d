"""Who works at the shell, as the audit log names them."""

from __future__ import annotations

import getpass
import os


def user_name() -> str:
    """Return the name of the user, or the number of one who has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"
