"""Where numba keeps compiled code: site-packages may be read-only on an appliance."""

from __future__ import annotations

import os
from pathlib import Path

import numba


def use_cache_folder() -> None:
    """Point numba at $NUMBA_CACHE_DIR, else at a folder in systemd's cache folder.

    Must run before the first cached function is declared. Without either variable numba
    writes beside the module, or below the user's home.
    """
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    granted = os.environ.get("CACHE_DIRECTORY")
    if granted:
        folder = Path(granted.split(":", maxsplit=1)[0]) / "numba"
        numba.config.CACHE_DIR = str(folder)
