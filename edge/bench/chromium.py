"""The only door to Playwright: a Chromium of this machine, for benchmark and tests."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge.errors import CaptureError, ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

# As Debian names it first; no browser is ever downloaded.
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_ARGUMENTS = (
    # A page that lies behind another one is measured like one that is seen.
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
    # Containers have a /dev/shm of 64 MB.
    "--disable-dev-shm-usage",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium, None if none is installed."""
    found = (shutil.which(program) for program in PROGRAMS)
    return next((path for path in found if path), None)


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Start a headless Chromium; it ends with the block.

    Raises:
        ConfigurationError: Playwright or Chromium is not installed.
        CaptureError: a page did not do in time what the block waits for.
    """
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415  optional
    except ImportError as error:
        raise ConfigurationError(
            "a browser needs Playwright: pip install 'edge-checkpoint[test]'"
        ) from error
    program = find_chromium()
    if program is None:
        raise ConfigurationError(
            "a browser needs Chromium, which is not installed: apt install chromium"
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program,
            headless=True,
            args=list(_ARGUMENTS),
            # Chromium refuses to put root into its sandbox.
            chromium_sandbox=os.geteuid() != 0,
        )
        try:
            yield browser
        except Error as error:
            first, *_ = str(error).splitlines()
            raise CaptureError(f"the browser: {first}") from error
        finally:
            browser.close()
