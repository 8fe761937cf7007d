"""Networks of OpenVINO's representation, against the same layers in plain numpy."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.models import retail_0095
from edge.models.network_graph import NetworkGraph
from edge.models.openvino_ir import read_network, write_layers

RNG = np.random.default_rng(5)


class Written:
    """Writes a small network as OpenVINO would."""

    def __init__(self):
        self.layers, self.edges, self.weights = [], [], b""
        self.add("Parameter", 'shape="1,3,128,128" element_type="f32"')

    def add(self, kind, data="", *sources):
        number = len(self.layers)
        self.layers.append(f'<layer id="{number}" type="{kind}"><data {data}/></layer>')
        self.edges += [
            f'<edge from-layer="{s}" from-port="0" to-layer="{number}" to-port="{p}"/>'
            for p, s in enumerate(sources)
        ]
        return number

    def constant(self, values):
        data = values.astype(np.float16).tobytes()
        shape = ",".join(map(str, values.shape))
        place = f'offset="{len(self.weights)}" size="{len(data)}"'
        const = self.add("Const", f'element_type="f16" shape="{shape}" {place}')
        self.weights += data
        return self.add("Convert", "", const)

    def xml(self):
        layers, edges = "".join(self.layers), "".join(self.edges)
        return (f"<net><layers>{layers}</layers><edges>{edges}</edges></net>").encode()


CONVOLUTION = 'strides="2,2" dilations="1,1" pads_begin="0,0" pads_end="0,0"'


@pytest.fixture
def small():
    """Scaling, convolution, bias, slope, depthwise, pool and gate."""
    net = Written()
    net.parts = [
        RNG.normal(size=(1, 3, 1, 1)),
        RNG.normal(size=(4, 3, 2, 2)),
        RNG.normal(size=(1, 4, 1, 1)),
        np.array([0.25]),
        RNG.normal(size=(4, 1, 1, 2, 2)),
    ]
    net.parts = [part.astype(np.float16).astype(np.float64) for part in net.parts]
    scale, kernel, bias, slope, deep = map(net.constant, net.parts)
    data = net.add("Multiply", "", 0, scale)
    data = net.add("Convolution", CONVOLUTION, data, kernel)
    data = net.add("Add", "", data, bias)
    data = net.add("PReLU", "", data, slope)
    data = net.add("GroupConvolution", CONVOLUTION, data, deep)
    pool = 'kernel="32,32" strides="32,32" pads_begin="0,0" pads_end="0,0"'
    mean = net.add("AvgPool", f'{pool} exclude-pad="true"', data)
    data = net.add("Multiply", "", data, net.add("Sigmoid", "", mean))
    net.add("Result", "", data)
    return net


def expected(net, image):
    scale, kernel, bias, slope, deep = net.parts
    data = image * scale
    blocks = data.reshape(1, 3, 64, 2, 64, 2)
    data = np.einsum("ncyixj,ocij->noyx", blocks, kernel) + bias
    data = np.where(data > 0, data, slope * data)
    blocks = data.reshape(1, 4, 32, 2, 32, 2)
    data = np.einsum("ncyixj,cij->ncyx", blocks, deep[:, 0, 0])
    gate = 1 / (1 + np.exp(-data.mean((2, 3), keepdims=True)))
    return data * gate


def test_every_kind_of_layer_computes_what_numpy_does(small):
    graph = NetworkGraph()
    network = read_network(small.xml(), small.weights)
    image = graph.rgb_input("image")
    graph.output_as(write_layers(network, graph, image), "out")
    built = graph.serialize("t", [1, 128, 128, 3], {"out": [1, 4, 32, 32]})
    session = onnxruntime.InferenceSession(built, providers=["CPUExecutionProvider"])
    pixels = RNG.integers(0, 256, (1, 128, 128, 3), np.uint8)
    [found] = session.run(None, {"image": pixels})
    wanted = expected(small, pixels.transpose(0, 3, 1, 2).astype(np.float64))
    assert found == pytest.approx(wanted, rel=1e-3, abs=1e-2)


def test_constants_outside_the_weights_are_refused(small):
    with pytest.raises(ModelError, match="outside the weights"):
        read_network(small.xml(), small.weights[:-1])


def test_a_layer_that_feeds_itself_is_refused():
    net = Written()
    net.add("Add", "", 1, 0)
    with pytest.raises(ModelError, match="cannot be read"):
        read_network(net.xml(), b"")


def test_declarations_are_refused(small):
    bomb = b'<!DOCTYPE net [<!ENTITY a "aaaa">]>' + small.xml()
    with pytest.raises(ModelError, match="declarations"):
        read_network(bomb, small.weights)


@pytest.mark.parametrize("kind", ["Softmax", "Const"])
def test_another_network_is_refused(small, kind):
    small.add(kind, 'element_type="i64" shape="1" offset="0" size="1"', 0)
    with pytest.raises(ModelError):
        retail_0095.build(small.xml(), small.weights)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_break_the_reader(data):
    with pytest.raises(ModelError):
        retail_0095.build(b"<net>" + data + b"</net>", data)


def test_the_published_network_is_small_and_tells_images_apart(shared_folder):
    place = shared_folder / "models" / retail_0095.FILE_NAME
    if not place.with_suffix(".xml").exists():
        pytest.skip("the better embedding network is not there")
    built = retail_0095.build(
        place.with_suffix(".xml").read_bytes(), place.with_suffix(".bin").read_bytes()
    )
    session = onnxruntime.InferenceSession(built, providers=["CPUExecutionProvider"])
    images = RNG.integers(0, 256, (3, 128, 128, 3), np.uint8)
    [vectors] = session.run(None, {"image": images})
    [alone] = session.run(None, {"image": images[1:2]})
    assert vectors.shape == (3, retail_0095.LENGTH)
    assert vectors[1] == pytest.approx(alone[0], abs=1e-4)
