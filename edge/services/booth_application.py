"""The officer's application over the parts of a running booth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.booth.app import create_app
from edge.booth.automatic_start_routes import automatic_start_routes, presence_at
from edge.booth.check_routes import check_routes
from edge.booth.comparison_routes import comparison_routes
from edge.booth.drill_routes import drill_routes
from edge.booth.live_routes import live_routes
from edge.booth.report_routes import report_routes
from edge.services import wiring
from edge.services.booth_health import booth_health, read_instructions
from edge.services.booth_hits import hit_router, officer, supervisor
from edge.services.booth_status import BoothStatus, read_statistics
from edge.services.drills import DrillDesk
from edge.services.sites import booth_site
from edge.web.access import actor

if TYPE_CHECKING:
    from fastapi import FastAPI

    from edge.booth.automatic_start import AutomaticStart
    from edge.booth.desk import CheckDesk
    from edge.booth.live import LiveView
    from edge.clock import Clock
    from edge.config import Config
    from edge.ports import FaceCapture, FingerprintCapture
    from edge.services.booth_watch import BoothWatch
    from edge.web.events import EventFeed


@dataclass(frozen=True)
class BoothParts:
    """What the application shows and works on. None: a device that is not there."""

    clock: Clock
    feed: EventFeed
    desk: CheckDesk
    live: LiveView
    automatic: AutomaticStart
    watch: BoothWatch
    finger: FingerprintCapture | None
    face: FaceCapture | None


def booth_application(config: Config, parts: BoothParts) -> FastAPI:
    """Build the application with all its routes; nothing else answers at a booth."""
    clock, watch, devices = parts.clock, parts.watch, (parts.finger, parts.face)
    site = booth_site(config, clock)
    return create_app(
        parts.feed,
        lambda: booth_health(config, *devices, watch, clock),
        lambda hit_id: read_instructions(config, hit_id),
        site,
        [
            check_routes(parts.desk, actor),
            live_routes(parts.live),
            automatic_start_routes(parts.automatic, actor, presence_at(site.sessions)),
            comparison_routes(wiring.hit_comparisons(config, clock), actor),
            hit_router(config, clock, parts.feed.publish, site),
            report_routes(
                lambda start, end: read_statistics(config, start, end),
                BoothStatus(config, *devices, watch, clock).view,
                clock,
            ),
            drill_routes(DrillDesk(config, clock), officer, supervisor),
        ],
    )
