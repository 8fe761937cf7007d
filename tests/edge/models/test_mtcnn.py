"""The conversion of MTCNN's networks, against numbers stored once.

The numbers agree to 1e-6 with a plain numpy computation of the same layers.
"""

from __future__ import annotations

import io
from importlib.metadata import distribution

import joblib
import numpy as np
import onnxruntime
import pytest

from edge.errors import ModelError
from edge.models.mtcnn import ONET_SPEC, PNET_SPEC, RNET_SPEC

# fmt: off
PNET_PROBABILITY_ROW = [
    0.0071956613, 0.0090399506, 0.00079803343, 0.0095233135, 0.0057376027,
    0.0870687068, 0.0910837054,
]
PNET_BOX_AT_2_3 = [0.0910237283, 0.1448890716, -0.1039272100, 0.0510539822]
RNET_PROBABILITY = 0.000197008951
RNET_BOX = [-0.0517012365, -0.3534344733, 0.1878530234, 0.2018314898]
ONET_PROBABILITY = 0.0000998825896
ONET_BOX = [0.0315868258, 0.0122855650, -0.0302310437, 0.2066309750]
ONET_POINTS = [
    0.2626926899, 0.6262669563, 0.3822981715, 0.2738229930, 0.5897856951,
    0.2719815671, 0.2759195566, 0.4448179007, 0.8154969811, 0.8278943300,
]
# fmt: on
SPECS = [PNET_SPEC, RNET_SPEC, ONET_SPEC]


def generated_image(size):
    row, column, channel = np.mgrid[0:size, 0:size, 0:3]
    values = row * row * 3 + column * 7 + channel * 50 + row * column
    return (values % 256).astype(np.uint8)[None]


def run(spec, size):
    package = distribution(spec.source.distribution)
    source = package.locate_file(spec.source.file).read_bytes()
    session = onnxruntime.InferenceSession(spec.build(source))
    return session.run(None, {"image": generated_image(size)})


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, atol=2e-5)


def test_pnet_gives_the_stored_maps():
    probability, box = run(PNET_SPEC, 24)
    assert probability.shape == (1, 7, 7)
    assert box.shape == (1, 4, 7, 7)
    close(probability[0, 0], PNET_PROBABILITY_ROW)
    close(box[0, :, 2, 3], PNET_BOX_AT_2_3)


def test_rnet_gives_the_stored_numbers():
    probability, box = run(RNET_SPEC, 24)
    close(probability, [RNET_PROBABILITY])
    close(box, [RNET_BOX])


def test_onet_gives_the_stored_numbers():
    probability, box, points = run(ONET_SPEC, 48)
    close(probability, [ONET_PROBABILITY])
    close(box, [ONET_BOX])
    close(points, [ONET_POINTS])


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.model_id)
def test_other_weights_are_refused(spec):
    buffer = io.BytesIO()
    joblib.dump([np.zeros(3, np.float32)] * 21, buffer)
    for source in (b"", b"no pickle", buffer.getvalue()):
        with pytest.raises(ModelError):
            spec.build(source)
