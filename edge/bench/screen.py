"""What officers and operators wait for, measured in a browser on real processes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

from edge.bench.page_cost import page_cost
from edge.clock import SystemClock
from edge.errors import CaptureError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from playwright.sync_api import Browser, BrowserContext, Page

    from edge.bench.progress import Progress

    Image = NDArray[np.uint8]
    Place = Literal["booth", "hub"]

SCREEN = {"width": 1280, "height": 800}
WAIT_MS = 60_000
PREVIEW_S = 4.0
PAGE_LOADS = 5
# Longer than the booth looks for a lifted finger, shorter than a person's turn.
TURN_S = 0.5
PAGES: dict[str, tuple[Place, str, str]] = {
    "officer": ("booth", "officer-1", "/"),
    "supervisor": ("booth", "supervisor-1", "/supervisor"),
    "traveller": ("booth", "officer-1", "/traveller"),
    "cases": ("hub", "operator-1", "/"),
    "posts": ("hub", "operator-1", "/posts"),
    "watchlist": ("hub", "operator-1", "/watchlist"),
    "audit": ("hub", "auditor-1", "/audit"),
}
_READY = "[data-testid=say]:not(:empty)"
# Notes the instant at which a decision has been painted.
_WATCH_DECISION = """() => {
  const work = document.querySelector('[data-testid=work]');
  const note = () => {
    if (!['verdict', 'hit'].includes(work.dataset.view)) return;
    const plate = document.querySelector('#verdict .word, #hit .word');
    if (plate && !globalThis.decidedAt)
      requestAnimationFrame(() => setTimeout(() => {
        globalThis.decidedAt ||= performance.timeOrigin + performance.now();
      }));
  };
  globalThis.decidedAt = 0;
  globalThis.decisions?.disconnect();
  globalThis.decisions = new MutationObserver(note);
  const shown = {
    attributes: true, attributeFilter: ['data-view'], childList: true, subtree: true,
  };
  globalThis.decisions.observe(work, shown);
}"""
# Notes the instant at which each card of a case stands in the list.
_WATCH_CASES = """() => {
  globalThis.seenAt = {};
  new MutationObserver(() => {
    const now = performance.timeOrigin + performance.now();
    for (const card of document.querySelectorAll('[data-hit]'))
      globalThis.seenAt[card.dataset.hit] ??= now;
  }).observe(document.querySelector('[data-testid=case-list]'), {childList: true});
}"""


class Site(Protocol):
    """A checkpoint that runs, with a scanner and a camera that do as they are told."""

    def url(self, place: Place) -> str: ...

    def cookie(self, place: Place, name: str) -> tuple[str, str]: ...

    def present(self, image: Image) -> None: ...

    def lift(self) -> None: ...

    def show(self, frames: Sequence[Image]) -> None: ...

    def record_hit(self) -> str: ...

    @property
    def persons(self) -> int: ...


@dataclass(frozen=True)
class Travellers:
    """listed, unlisted: prints of one finger each. far: frames of a face too far."""

    listed: Sequence[Image]
    unlisted: Sequence[Image]
    far: Sequence[Image]


@dataclass(frozen=True)
class ScreenPlan:
    """How often: checks of each traveller; hits to be seen by the operator."""

    checks: int = 15
    hits: int = 60


def measure_screen(
    site: Site,
    browser: Browser,
    travellers: Travellers,
    plan: ScreenPlan,
    progress: Progress,
    report: dict[str, Any],
) -> None:
    """Measure all; times in milliseconds.

    report: gets each part as soon as it is measured.

    Raises:
        CaptureError: a check came to no decision on the screen.
        ConfigurationError: a page answers with an error.
    """
    report |= {"persons": site.persons, "browser": browser.version}
    report["pages"] = _pages(site, browser, progress)
    context = _context(site, browser, "booth", "officer-1")
    page = _officer(context, site)
    for name in ("listed", "unlisted"):
        prints = getattr(travellers, name)
        report[f"finger_down_until_decision_{name}"] = _decisions(
            site, page, prints, plan.checks, progress
        )
    report["preview"] = _preview(site, page, travellers)
    context.close()
    report["hit_recorded_until_at_the_operator"] = _hits(
        site, browser, plan.hits, progress
    )


def _context(site: Site, browser: Browser, place: Place, name: str) -> BrowserContext:
    context = browser.new_context(viewport=SCREEN)  # type: ignore[arg-type]  # a size
    context.set_default_timeout(WAIT_MS)
    cookie, value = site.cookie(place, name)
    context.add_cookies([{"name": cookie, "value": value, "url": site.url(place)}])
    return context


def _officer(context: BrowserContext, site: Site) -> Page:
    """Open the officer's screen, with the finger alone asked for."""
    page = context.new_page()
    page.goto(site.url("booth"))
    order = '{"positions": [2], "face": false}'
    page.evaluate("order => localStorage.setItem('order', order)", order)
    _reload(page)
    return page


def _reload(page: Page) -> None:
    page.reload()
    page.locator(_READY).wait_for()


def _pages(site: Site, browser: Browser, progress: Progress) -> dict[str, Any]:
    found = {}
    for number, (title, (place, name, path)) in enumerate(PAGES.items()):
        progress.step("pages", number, len(PAGES))
        context = _context(site, browser, place, name)
        loads = [page_cost(context, site.url(place) + path) for _ in range(PAGE_LOADS)]
        context.close()
        found[title] = {
            "first_paint_ms": float(np.median([load.first_paint_ms for load in loads])),
            "transfer_bytes": max(load.transfer_bytes for load in loads),
            "requests": max(load.requests for load in loads),
        }
    return found


def _decisions(
    site: Site, page: Page, prints: Sequence[Image], checks: int, progress: Progress
) -> dict[str, Any]:
    """Time from the finger on the scanner to the decision that has been painted."""
    clock, times, clicks = SystemClock(), [], []
    for number in range(checks):
        progress.step("checks", number, checks)
        site.lift()
        _reload(page)
        page.evaluate(_WATCH_DECISION)
        page.get_by_test_id("start").click()
        clicks.append(1)
        page.locator('[data-testid=work][data-view="running"]').wait_for()
        time.sleep(TURN_S)
        began_ms = 1000 * clock.now().timestamp()
        site.present(prints[number % len(prints)])
        decided = page.wait_for_function("() => globalThis.decidedAt || false")
        times.append(float(decided.json_value()) - began_ms)
        if times[-1] <= 0:
            raise CaptureError("the screen shows a decision before there is a finger")
    return {**_summary(times), "clicks": max(clicks)}


def _preview(site: Site, page: Page, travellers: Travellers) -> dict[str, Any]:
    """Count the pictures of finger and face that the screen gets while it is guided."""
    page.evaluate("() => localStorage.removeItem('order')")
    site.lift()
    site.show(travellers.far)
    time.sleep(TURN_S)
    _reload(page)
    frames: dict[str, list[float]] = {"finger": [], "face": []}

    def note(response: Any) -> None:  # noqa: ANN401  Playwright's own type
        for name, times in frames.items():
            if f"/api/live/{name}" in response.url and response.status == 200:
                times.append(time.monotonic())

    page.on("response", note)
    page.get_by_test_id("start").click()
    page.locator('[data-testid=work][data-view="running"]').wait_for()
    site.present(travellers.unlisted[0])
    page.locator('[data-testid=face-station][data-state="asked"]').wait_for()
    page.wait_for_timeout(1000 * PREVIEW_S)
    # Left as it is, the check would wait for the face until its time is over.
    if page.get_by_test_id("cancel").is_visible():
        page.get_by_test_id("cancel").click()
    site.show([])
    site.lift()
    return {
        "face_frames_per_s": _rate(frames["face"]),
        "finger_frames": len(frames["finger"]),
        "finger_frames_per_s": _rate(frames["finger"]),
    }


def _rate(times: Sequence[float]) -> float | None:
    if len(times) < 2:
        return None
    return round((len(times) - 1) / (times[-1] - times[0]), 1)


def _hits(
    site: Site, browser: Browser, hits: int, progress: Progress
) -> dict[str, Any]:
    """Time from before the booth's transaction to the card in the operator's list."""
    context = _context(site, browser, "hub", "operator-1")
    page = context.new_page()
    page.goto(site.url("hub"))
    page.locator("[data-testid=link-state][data-level=ok]").wait_for()
    page.evaluate(_WATCH_CASES)
    clock, times = SystemClock(), []
    for number in range(hits):
        progress.step("hits", number, hits)
        began_ms = 1000 * clock.now().timestamp()
        hit_id = site.record_hit()
        seen = page.wait_for_function("hit => globalThis.seenAt[hit]", arg=hit_id)
        times.append(float(seen.json_value()) - began_ms)
        page.wait_for_timeout(100)
    context.close()
    return _summary(times)


def _summary(times_ms: Sequence[float]) -> dict[str, float | int]:
    values = np.array(times_ms)
    return {
        "count": len(values),
        "median_ms": round(float(np.median(values)), 1),
        "p95_ms": round(float(np.percentile(values, 95)), 1),
        "most_ms": round(float(values.max()), 1),
    }
