"""edge-booth: capture, recognition, search, decision, the officer's application."""

from __future__ import annotations

import gc
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from edge.booth.automatic_start import AutomaticStart
from edge.booth.desk import CheckDesk
from edge.booth.live import LiveView
from edge.checkpoint.booth_ports import BoothPorts
from edge.checkpoint.check import CheckLimits
from edge.checkpoint.drill import DrillingRunner
from edge.checkpoint.freshness import FreshnessLimits
from edge.checkpoint.policy import PresentationPolicy
from edge.checkpoint.quality_gate import FingerThresholds
from edge.clock import SystemClock
from edge.errors import EdgeError
from edge.logs import EventLog
from edge.recognition.image_encoding import encode_png
from edge.services import wiring
from edge.services.booth_application import BoothParts, booth_application
from edge.services.booth_watch import BoothWatch, standing_of
from edge.services.drills import BoothDrills
from edge.services.systemd import Notifier, stop_event
from edge.services.web_server import serving
from edge.store.checks import CheckStore
from edge.store.database import open_database
from edge.terms import FingerPosition, Modality
from edge.web.events import EventFeed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from edge.checkpoint.runner import CheckRunner
    from edge.clock import Clock
    from edge.config import Config
    from edge.ports import FaceCapture, FingerprintCapture

ALIVE_S = 1.0
STOP_S = 5.0


def run_booth(config: Config) -> None:
    """Run until SIGTERM or SIGINT. Reports READY when a check can be started.

    Raises:
        EdgeError: the store, a model or the port cannot be used.
    """
    clock = SystemClock()
    log = EventLog(clock, "edge-booth")
    notifier = Notifier(clock)
    feed = EventFeed()

    def tell(step: str) -> None:
        log.event("preparing", stage=step)
        notifier.starting(step)

    finger = wiring.finger_capture(config, clock)
    face = wiring.face_capture(config, clock)
    watch = BoothWatch(
        config, clock, lambda name, text: log.event(name, error=text), feed.publish
    )
    live = LiveView(face)
    desk = CheckDesk(
        lambda: check_runner(config, clock, finger, face, watch, tell),
        feed,
        log,
        live,
    )
    with stop_event() as stopping:
        desk.open()
        # A collection that goes through all that was loaded halts every thread for a
        # tenth of a second; nothing of it is ever garbage.
        gc.collect()
        gc.freeze()
        automatic = AutomaticStart(desk, finger, feed)
        automatic.start()
        parts = BoothParts(clock, feed, desk, live, automatic, watch, finger, face)
        app = booth_application(config, parts)
        with serving(app, host=config.web.host, port=config.web.port, key="web"):
            log.event("started", booth_id=config.booth_id, port=config.web.port)
            notifier.ready()
            notifier.status("ready for checks")
            while not stopping.wait(ALIVE_S):
                threads = (desk, watch, automatic)
                if not all(thread.is_alive() for thread in threads):
                    message = "a thread of the booth has ended; restarting"
                    raise EdgeError(message)
                notifier.alive()
            notifier.stopping()
            feed.close()
        automatic.stop()
        desk.close()
    log.event("stopped")


@contextmanager
def check_runner(
    config: Config,
    clock: Clock,
    finger: FingerprintCapture | None,
    face: FaceCapture | None,
    watch: BoothWatch | None = None,
    on_step: Callable[[str], None] = lambda _step: None,
) -> Iterator[CheckRunner]:
    """Open the store and the engines on this thread and yield a runner over them.

    watch: keeps the galleries in step; handed in by who wants to ask it. on_step: told
    what is prepared, where that may take long.

    Raises:
        EdgeError: the store or a model cannot be used.
    """
    watch = watch or BoothWatch(config, clock)
    with ExitStack() as stack:
        database = open_database(config.store.path, "booth")
        stack.callback(database.conn.close)
        watchlist = open_database(config.store.watchlist_path, "watchlist")
        stack.callback(watchlist.conn.close)
        wiring.prepare_kernels(config, lambda name: on_step(f"compiling: {name}"))
        galleries = stack.enter_context(wiring.galleries(config))
        stack.enter_context(
            watch.watching(galleries, lambda share: on_step(f"indexing: {share:.0%}"))
        )
        ports = BoothPorts(
            finger_capture=finger,
            face_capture=face,
            finger_recognition=wiring.fingerprint_engine(config),
            face_recognition=wiring.face_engine(config),
            search=wiring.watchlist_index(galleries, watchlist, clock),
            recorder=CheckStore(
                database,
                {
                    Modality.FINGERPRINT: config.scanner.name,
                    Modality.FACE: config.camera.name,
                },
            ),
            encode_png=encode_png,
            clock=clock,
            standing=lambda: standing_of(watch.state, clock.monotonic_s()),
            presentation=wiring.presentation_detector(
                config, lambda problem: on_step(f"faces are not judged: {problem}")
            ),
        )
        yield DrillingRunner(
            ports,
            booth_id=config.booth_id,
            limits=check_limits(config),
            drills=BoothDrills(database, watchlist),
        )


def check_limits(config: Config) -> CheckLimits:
    """Return what the configuration asks of a check."""
    policy = config.policy
    extra = policy.extra_fingers if policy.extra_finger_rate else ()
    return CheckLimits(
        max_attempts=policy.max_attempts,
        finger_timeout_s=config.scanner.timeout_s,
        face_timeout_s=config.camera.timeout_s,
        face_burst_s=config.camera.burst_s,
        finger_quality=FingerThresholds(**policy.finger_quality.search.model_dump()),
        order=policy.sample_order,
        extra_fingers=tuple(map(FingerPosition, extra)),
        check_time_s=policy.check_time_s,
        watchlist_age=FreshnessLimits(
            stale_after_s=policy.watchlist_stale_after_h * 3600,
            degraded_after_s=policy.watchlist_degraded_after_h * 3600,
        ),
        presentation_attack=PresentationPolicy(policy.presentation_attack),
    )
