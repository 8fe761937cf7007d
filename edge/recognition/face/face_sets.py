"""Which detector goes with which embedding network, and what both are fed.

"default" comes with the packages. "better" has to be fetched; it carries a watchlist
where the default one serves short lists only. Templates of one are never compared with
those of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from edge.recognition.face.alignment import DLIB_LAYOUT, RETAIL_LAYOUT, ChipLayout
from edge.recognition.face.detection import FaceDetector
from edge.recognition.face.detection_yunet import YunetDetector
from edge.recognition.face.embedding import (
    DLIB_TEMPLATES,
    RETAIL_TEMPLATES,
    FaceEmbedder,
)
from edge.recognition.onnx_session import OnnxSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edge.recognition.face.detection import Detector

FaceSetName = Literal["default", "better"]
MTCNN_IDS = ("mtcnn-pnet", "mtcnn-rnet", "mtcnn-onet")
YUNET_ID = "yunet-2023mar"
DLIB_ID = "dlib-face-resnet-v1"
RETAIL_ID = "omz-reid-retail-0095"


class ModelPaths(Protocol):
    def path(self, model_id: str) -> Path: ...


@dataclass(frozen=True)
class FaceSet:
    """model_ids: networks that have to be there. template_id: of what it makes.

    detector, embedder: make them of a store's models, each network on so many threads.
    """

    name: FaceSetName
    model_ids: tuple[str, ...]
    template_id: str
    layout: ChipLayout
    detector: Callable[[ModelPaths, int], Detector]
    embedder: Callable[[ModelPaths, int], FaceEmbedder]


def face_set(name: FaceSetName) -> FaceSet:
    return _SETS[name]


def _mtcnn(store: ModelPaths, threads: int) -> Detector:
    return FaceDetector(*(OnnxSession(store.path(i), threads) for i in MTCNN_IDS))


def _yunet(store: ModelPaths, threads: int) -> Detector:
    return YunetDetector(OnnxSession(store.path(YUNET_ID), threads))


def _dlib(store: ModelPaths, threads: int) -> FaceEmbedder:
    return FaceEmbedder(OnnxSession(store.path(DLIB_ID), threads), DLIB_TEMPLATES)


def _retail(store: ModelPaths, threads: int) -> FaceEmbedder:
    return FaceEmbedder(OnnxSession(store.path(RETAIL_ID), threads), RETAIL_TEMPLATES)


_SETS: dict[FaceSetName, FaceSet] = {
    "default": FaceSet(
        *("default", (*MTCNN_IDS, DLIB_ID), DLIB_TEMPLATES, DLIB_LAYOUT),
        detector=_mtcnn,
        embedder=_dlib,
    ),
    "better": FaceSet(
        *("better", (YUNET_ID, RETAIL_ID), RETAIL_TEMPLATES, RETAIL_LAYOUT),
        detector=_yunet,
        embedder=_retail,
    ),
}
