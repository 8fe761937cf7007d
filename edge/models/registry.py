"""Every model that the appliance knows."""

from __future__ import annotations

from edge.models import (
    dlib_resnet,
    leader,
    minifasnet,
    mtcnn,
    retail_0095,
    sface,
    yunet,
)

ALL_SPECS = (
    leader.SPEC,
    dlib_resnet.SPEC,
    mtcnn.PNET_SPEC,
    mtcnn.RNET_SPEC,
    mtcnn.ONET_SPEC,
    yunet.SPEC,
    retail_0095.SPEC,
    sface.SPEC,
    minifasnet.V2_SPEC,
    minifasnet.V1SE_SPEC,
)
