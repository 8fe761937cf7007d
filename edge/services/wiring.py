"""From the configuration to objects: the only place that picks the parts."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.errors import ConfigurationError, ModelError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import sqlite_utils

    from edge.capture.fingerprint_scanner import BridgedFingerprintCapture
    from edge.clock import Clock
    from edge.config import Config
    from edge.models.store import ModelStore
    from edge.ports import FaceCapture
    from edge.recognition.face.engine import FaceEngine
    from edge.recognition.face.presentation_attack import (
        PresentationAttackDetector,
        PresentationJudge,
    )
    from edge.recognition.fingerprint.engine import FingerprintEngine
    from edge.recognition.fingerprint.evidence_search import EvidenceSearch, Examined
    from edge.services.enrolment import EnrolmentEngines
    from edge.services.face_search import FaceSearch
    from edge.services.fusion_rules import FusionRules
    from edge.services.hit_comparisons import StoredHitComparisons
    from edge.services.sync import BoothSide
    from edge.sync.settings import BrokerSettings
    from edge.terms import Modality
    from edge.trust.booth_keys import BoothKeys
    from edge.trust.hub_keys import HubKeys
    from edge.watchlist.following import FollowingGallery
    from edge.watchlist.search import WatchlistIndex

# Imports stand inside the functions: edge-sync and edge-hub must start without the
# recognition engines, and the command line without anything it does not use.
# ruff: noqa: PLC0415

# A search leaves the other processors of a small machine to the rest of it.
MOST_SEARCH_THREADS = 4


def model_store(config: Config) -> ModelStore:
    from edge.models.store import ModelStore

    return ModelStore(config.models.cache_dir)


def fingerprint_engine(config: Config) -> FingerprintEngine:
    from edge.recognition.fingerprint.engine import MODEL_ID, FingerprintEngine

    return FingerprintEngine(model_store(config).path(MODEL_ID), config.models.threads)


def prepare_kernels(
    config: Config, on_step: Callable[[str], None] = lambda _step: None
) -> None:
    """Compile what compares and searches prints, or load it from the cache.

    Takes seconds once on a machine; no capture should wait for it. on_step: told what
    is prepared next.
    """
    kernels = config.models.cache_dir / "kernels"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(kernels))
    from edge.recognition.fingerprint import comparison, quality_measures, search

    for name, warm_up in (
        ("comparison", comparison.warm_up),
        ("search", search.warm_up),
        ("quality", quality_measures.warm_up),
    ):
        on_step(name)
        warm_up()


def face_engine(config: Config) -> FaceEngine:
    from edge.recognition.face.engine import FaceEngine

    return FaceEngine.from_model_store(
        model_store(config), config.models.threads, name=config.models.face
    )


def hit_comparisons(config: Config, clock: Clock) -> StoredHitComparisons:
    """What shows a hit beside its references."""
    from edge.recognition.face.face_sets import face_set
    from edge.services.hit_comparisons import StoredHitComparisons
    from edge.store.reference_images import BoothReferenceImages

    faces = face_set(config.models.face)
    return StoredHitComparisons(
        config,
        clock,
        lambda: faces.detector(model_store(config), 1),
        BoothReferenceImages,
    )


def presentation_judge(config: Config) -> PresentationJudge:
    """Tells faces from pictures of faces, in an image.

    Raises:
        ModelError: its networks were not fetched.
    """
    from edge.recognition.face.face_sets import face_set
    from edge.recognition.face.presentation_attack import PresentationJudge

    return PresentationJudge(
        face_set(config.models.face).detector(model_store(config), 1),
        _presentation_networks(config),
    )


def presentation_detector(
    config: Config, tell: Callable[[str], None] = lambda _problem: None
) -> PresentationAttackDetector | None:
    """Judges faces in checks; None where policy wants none, or its networks fail.

    A booth works without it; tell: told why it has to.
    """
    if config.policy.presentation_attack == "off":
        return None
    try:
        return _presentation_networks(config)
    except ModelError as error:
        tell(str(error))
        return None


def _presentation_networks(config: Config) -> PresentationAttackDetector:
    from edge.recognition.face.presentation_attack import (
        NETWORKS,
        PresentationAttackDetector,
    )
    from edge.recognition.onnx_session import OnnxSession

    store = model_store(config)
    networks = [(times, OnnxSession(store.path(name))) for times, name in NETWORKS]
    return PresentationAttackDetector(
        networks, config.policy.presentation_attack_threshold
    )


def enrolment_engines(config: Config) -> EnrolmentEngines:
    from edge.services.enrolment import EnrolmentEngines

    return EnrolmentEngines(fingerprint_engine(config), face_engine(config))


def shown_image(png: bytes) -> bytes | None:
    """Return of an image what can be sent to a booth; None if nothing can."""
    from edge.recognition.image_encoding import smaller_image
    from edge.store.hub_images import LARGEST_SENT

    return smaller_image(png, most_bytes=LARGEST_SENT)


def finger_capture(config: Config, clock: Clock) -> BridgedFingerprintCapture | None:
    if not config.scanner.enabled:
        return None
    from edge.capture.fingerprint_scanner import BridgedFingerprintCapture

    return BridgedFingerprintCapture(config.scanner.socket, clock)


def face_capture(config: Config, clock: Clock) -> FaceCapture | None:
    if not config.camera.enabled:
        return None
    from edge.capture.face_camera import OpenCvFaceCapture

    return OpenCvFaceCapture(config.camera.source, clock=clock)


def gallery_folder(config: Config) -> Path:
    return config.search.gallery or config.store.path.parent / "gallery"


def search_threads(config: Config) -> int:
    return config.search.threads or min(os.cpu_count() or 1, MOST_SEARCH_THREADS)


@dataclass(frozen=True)
class Galleries:
    """What a booth searches; fingerprints and faces as the watchlist's index asks."""

    fingerprints: EvidenceSearch
    faces: FaceSearch
    rules: FusionRules
    followed: Mapping[Modality, FollowingGallery]


@contextmanager
def galleries(config: Config) -> Iterator[Galleries]:
    """The galleries as they were left, searched at the policy's false match rates.

    Raises:
        StoreError: the folder of the gallery cannot be used.
        ModelError: a table of the fingerprint search is missing or damaged.
    """
    from edge.recognition.face.face_sets import face_set
    from edge.recognition.face.gallery import FaceGallery
    from edge.recognition.fingerprint.calibration import TemplateSource, committed
    from edge.recognition.fingerprint.evidence_search import EvidenceSearch
    from edge.recognition.fingerprint.gallery import TemplateGallery
    from edge.services.face_search import FaceSearch
    from edge.services.fusion_rules import FusionRules
    from edge.terms import Modality

    faces = FaceGallery(search_threads(config))
    face_model_id = face_set(config.models.face).template_id
    with (
        closing(TemplateGallery(gallery_folder(config))) as fingerprints,
        closing(
            EvidenceSearch(
                fingerprints,
                committed(),
                search_threads(config),
                foreign=committed(TemplateSource.FOREIGN),
            )
        ) as search,
    ):
        yield Galleries(
            search,
            FaceSearch(faces, config.policy, face_model_id),
            FusionRules(config.policy, face_model_id),
            {Modality.FINGERPRINT: fingerprints, Modality.FACE: faces},
        )


def watchlist_index(
    searched: Galleries, database: sqlite_utils.Database, clock: Clock
) -> WatchlistIndex[Examined]:
    """Search over the booth's watchlist; database: the watchlist's store."""
    from edge.store.references import StoredReferences
    from edge.store.watchlist import BoothWatchlist
    from edge.watchlist.search import WatchlistIndex

    return WatchlistIndex(
        BoothWatchlist(database),
        StoredReferences(database),
        searched.fingerprints,
        searched.faces,
        searched.rules,
        clock,
    )


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


def booth_broker(config: Config, keys: BoothKeys) -> BrokerSettings:
    """Return how this booth reaches the broker."""
    from edge.services.provisioning import enrolled_broker

    settings = broker_settings(config)
    if config.broker.certificates == "configured":
        return settings
    return enrolled_broker(keys, settings)


def hub_broker(config: Config) -> BrokerSettings:
    """Return how this hub reaches the broker.

    Raises:
        ConfigurationError: this machine is no hub.
    """
    from edge.services.hub_keys import hub_folder
    from edge.trust.hub_keys import AUTHORITY, CERTIFICATE, TLS_KEY

    settings = broker_settings(config)
    folder = hub_folder(config)
    if config.broker.certificates == "configured":
        return settings
    return replace(
        settings,
        cafile=folder.place(AUTHORITY),
        certfile=folder.place(CERTIFICATE),
        keyfile=folder.place(TLS_KEY),
    )


def machine_broker(config: Config) -> BrokerSettings:
    """Return how this machine, booth or hub, reaches the broker.

    Raises:
        ConfigurationError: a booth that is not enrolled.
    """
    if config.hub is not None:
        return hub_broker(config)
    if config.broker.certificates == "configured":
        return broker_settings(config)
    from edge.services.provisioning import booth_keys

    return booth_broker(config, booth_keys(config))


def booth_side(config: Config) -> BoothSide:
    """Return what edge-sync works with on this booth."""
    from edge.clock import SystemClock
    from edge.services.gallery_erasure import is_gallery_clean
    from edge.services.provisioning import booth_folder, booth_keys
    from edge.services.sync import BoothSide
    from edge.services.sync_chores import chores_of
    from edge.trust.booth_keys import keep_anchors

    return BoothSide(
        booth_id=config.booth_id,
        store_path=config.store.path,
        watchlist_path=config.store.watchlist_path,
        load_keys=lambda: booth_keys(config),
        broker=lambda keys: booth_broker(config, keys),
        keep_anchors=lambda anchors: keep_anchors(booth_folder(config), anchors),
        chores=lambda stores, databases: chores_of(
            *databases,
            stores.outbox,
            stores.replica,
            SystemClock(),
            folder=config.store.path.parent,
        ),
        is_gone_elsewhere=lambda watchlist: is_gallery_clean(
            gallery_folder(config), watchlist
        ),
    )


def run_sync_from(config: Config) -> None:
    """Run edge-sync until it is told to stop."""
    from edge.services.sync import run_sync

    run_sync(booth_side(config))


def run_hub_from(config: Config) -> None:
    """Run edge-hub until it is told to stop.

    Raises:
        ConfigurationError: this machine is not configured as a hub.
    """
    from edge.hub.settings import HubSettings
    from edge.services.hub import run_hub

    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    run_hub(
        store_path=config.hub.store,
        broker=hub_broker(config),
        load_keys=lambda: hub_keys(config),
        settings=HubSettings(
            head_every_s=config.hub.head_every_s,
            head_valid_s=config.hub.head_valid_s,
            late_after_s=config.hub.late_after_s,
        ),
        poll_s=config.hub.poll_s,
    )


def hub_keys(config: Config) -> HubKeys:
    """Read the hub's keys.

    Raises:
        ConfigurationError: this machine is no hub, or its keys are missing or damaged.
    """
    from edge.trust.hub_keys import load_hub_keys
    from edge.trust.key_folder import KeyFolder, credentials_folder

    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    return load_hub_keys(KeyFolder(config.hub.keys, credentials=credentials_folder()))
