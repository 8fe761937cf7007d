"""What a page costs: requests, bytes over the line, time to the first paint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.errors import ConfigurationError

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

# A page that never paints is a defect, not a slow page.
PAINT_S = 20.0
_FIRST_PAINT = (
    "() => { const [p] = performance.getEntriesByName('first-contentful-paint');"
    " return p ? p.startTime : 0; }"
)


@dataclass(frozen=True)
class PageCost:
    """Of one load with an empty cache.

    transfer_bytes: of heads and bodies, as they were sent; a stream of events counts
    until the page had painted. elsewhere: addresses asked of another host.
    """

    requests: int
    transfer_bytes: int
    first_paint_ms: float
    elsewhere: tuple[str, ...]


def page_cost(context: BrowserContext, url: str) -> PageCost:
    """Load a page in a new tab without cache; the context has its cookies.

    Raises:
        ConfigurationError: the page answers with an error, or never paints.
    """
    asked: list[str] = []
    sizes: list[float] = []
    page = context.new_page()
    try:
        line = context.new_cdp_session(page)
        line.on("Network.requestWillBeSent", lambda e: asked.append(_address(e)))
        line.on("Network.dataReceived", lambda e: sizes.append(e["encodedDataLength"]))
        line.on("Network.responseReceived", lambda e: sizes.append(_head(e)))
        line.send("Network.enable")
        line.send("Network.setCacheDisabled", {"cacheDisabled": True})
        reply = page.goto(url, wait_until="load")
        if reply is None or not reply.ok:
            status = "no answer" if reply is None else reply.status
            raise ConfigurationError(f"{url}: the page answers {status}")
        paint = page.wait_for_function(_FIRST_PAINT, timeout=1000 * PAINT_S)
        first_paint_ms = float(paint.json_value())
    finally:
        page.close()
    own = url.split("/", 3)[2]
    elsewhere = tuple(a for a in asked if not _is_own(a, own))
    return PageCost(len(asked), int(sum(sizes)), round(first_paint_ms, 1), elsewhere)


def _address(event: dict[str, Any]) -> str:
    return str(event["request"]["url"])


def _head(event: dict[str, Any]) -> float:
    return float(event["response"].get("encodedDataLength", 0))


def _is_own(address: str, host: str) -> bool:
    scheme, _, rest = address.partition(":")
    return scheme in {"blob", "data"} or rest.split("/")[2] == host
