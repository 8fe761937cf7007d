"""From the configuration to objects: the only place that picks the parts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import sqlite_utils

    from edge.clock import Clock
    from edge.config import Config
    from edge.models.store import ModelStore
    from edge.ports import FaceCapture, FingerprintCapture
    from edge.recognition.face.engine import FaceEngine
    from edge.recognition.fingerprint.engine import FingerprintEngine
    from edge.services.enrolment import EnrolmentEngines
    from edge.sync.settings import BrokerSettings
    from edge.terms import Candidate, Reference, Template
    from edge.watchlist.search import Gallery, WatchlistIndex

# Imports stand inside the functions: edge-sync and edge-hub must start without the
# recognition engines, and the command line without anything it does not use.
# ruff: noqa: PLC0415


def model_store(config: Config) -> ModelStore:
    from edge.models.store import ModelStore

    return ModelStore(config.models.cache_dir)


def fingerprint_engine(config: Config) -> FingerprintEngine:
    from edge.recognition.fingerprint.engine import MODEL_ID, FingerprintEngine

    return FingerprintEngine(model_store(config).path(MODEL_ID), config.models.threads)


def prepare_kernels(config: Config) -> None:
    """Compile the comparison of prints, or load it from the cache.

    Takes seconds once on a machine; no capture should wait for it.
    """
    kernels = config.models.cache_dir / "kernels"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(kernels))
    from edge.recognition.fingerprint import quality_measures
    from edge.recognition.fingerprint.comparison import warm_up

    warm_up()
    quality_measures.warm_up()


def face_engine(config: Config) -> FaceEngine:
    from edge.recognition.face.engine import FaceEngine

    return FaceEngine.from_model_store(model_store(config), config.models.threads)


def enrolment_engines(config: Config) -> EnrolmentEngines:
    from edge.services.enrolment import EnrolmentEngines

    return EnrolmentEngines(fingerprint_engine(config), face_engine(config))


def finger_capture(config: Config, clock: Clock) -> FingerprintCapture | None:
    if not config.scanner.enabled:
        return None
    from edge.capture.fingerprint_scanner import BridgedFingerprintCapture

    return BridgedFingerprintCapture(config.scanner.socket, clock)


def face_capture(config: Config, clock: Clock) -> FaceCapture | None:
    if not config.camera.enabled:
        return None
    from edge.capture.face_camera import OpenCvFaceCapture

    return OpenCvFaceCapture(config.camera.source, clock=clock)


def watchlist_index(
    config: Config, database: sqlite_utils.Database, clock: Clock
) -> WatchlistIndex:
    """Search over the booth's watchlist, at the policy's false match rates."""
    from edge.recognition.face.gallery import FaceGallery
    from edge.recognition.fingerprint.search import FingerprintGallery
    from edge.store.watchlist import BoothWatchlist
    from edge.terms import Modality
    from edge.watchlist.search import WatchlistIndex

    policy = config.policy
    factories = {
        Modality.FINGERPRINT: _factory(
            FingerprintGallery, policy.finger_false_match_rate
        ),
        Modality.FACE: _factory(FaceGallery, policy.face_false_match_rate),
    }
    return WatchlistIndex(BoothWatchlist(database), factories, clock)


def _factory(
    gallery: Callable[[Sequence[Reference]], object], max_fmr: float
) -> Callable[[Sequence[Reference]], Gallery]:
    class Thresholded:
        def __init__(self, references: Sequence[Reference]) -> None:
            self._gallery = gallery(references)

        def search(self, probe: Template) -> Sequence[Candidate]:
            found: Sequence[Candidate] = self._gallery.search(probe, max_fmr)  # type: ignore[attr-defined]
            return found

    return Thresholded


def broker_settings(config: Config) -> BrokerSettings:
    from edge.sync.settings import BrokerSettings

    broker = config.broker
    return BrokerSettings(
        host=broker.host,
        port=broker.port,
        username=broker.username,
        password_file=broker.password_file,
        cafile=broker.ca_file,
        certfile=broker.certificate_file,
        keyfile=broker.key_file,
        keepalive_s=broker.keepalive_s,
        protocol=broker.protocol,
    )


def run_sync_from(config: Config) -> None:
    """Run edge-sync until it is told to stop."""
    from edge.services.sync import run_sync

    run_sync(
        booth_id=config.booth_id,
        store_path=config.store.path,
        broker=broker_settings(config),
    )


def run_hub_from(config: Config) -> None:
    """Run edge-hub until it is told to stop.

    Raises:
        ConfigurationError: this machine is not configured as a hub.
    """
    from edge.services.hub import run_hub

    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    run_hub(
        store_path=config.hub.store,
        broker=broker_settings(config),
        poll_s=config.hub.poll_s,
    )
