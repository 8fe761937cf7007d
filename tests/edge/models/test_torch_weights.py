"""Tensors of a PyTorch file, read without running what is in it."""

import pickle
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import ModelError
from edge.models import minifasnet
from edge.models.torch_weights import MAGIC, PROTOCOL, read_tensors

A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.array([7.5], np.float32)


def text(word):
    data = word.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def whole(number):
    return b"J" + struct.pack("<i", number)


def numbers(values):
    return b"(" + b"".join(map(whole, values)) + b"t"


def tensor(
    name, values, key, strides=None, offset=0, maker="torch._utils\n_rebuild_tensor_v2"
):
    steps = (
        [s // values.itemsize for s in values.strides] if strides is None else strides
    )
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text(key)
    storage += text("cpu") + whole(values.size) + b"NtQ"
    made = b"c" + maker.encode() + b"\n(" + storage + whole(offset)
    made += numbers(values.shape) + numbers(steps) + b"\x89)tR"
    return text(name) + made + b"s"


def torch_file(*items, keys=None, storages=None):
    head = [
        pickle.dumps(value, 2) for value in (MAGIC, PROTOCOL, {"little_endian": True})
    ]
    body = b"\x80\x02ccollections\nOrderedDict\n)R" + b"".join(items) + b"."
    keys = ["0", "1"][: len(items)] if keys is None else keys
    storages = [A, B][: len(items)] if storages is None else storages
    tail = b"".join(struct.pack("<q", s.size) + s.tobytes() for s in storages)
    return b"".join(head) + body + pickle.dumps(keys, 2) + tail


def test_tensors_come_back_by_name():
    data = torch_file(tensor("module.a.weight", A, "0"), tensor("b", B, "1"))
    found = read_tensors(data)
    assert set(found) == {"a.weight", "b"}
    assert (found["a.weight"] == A).all()
    assert (found["b"] == B).all()


class Ran:
    """A pickle that would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


def test_attack_code_in_the_file_is_not_run(tmp_path):
    trap = tmp_path / "ran"
    data = torch_file(tensor("a", A, "0"))
    for place in range(3):
        head = [pickle.dumps(v, 2) for v in (MAGIC, PROTOCOL, {})][:place]
        with pytest.raises(ModelError, match="not allowed"):
            read_tensors(b"".join(head) + pickle.dumps(Ran(trap), 2) + data)
    assert not trap.exists()


def test_attack_a_tensor_made_by_another_function_is_refused():
    with pytest.raises(ModelError, match="not allowed"):
        read_tensors(torch_file(tensor("a", A, "0", maker="os\nsystem")))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        torch_file(tensor("a", A, "0"))[:-1],
        torch_file(tensor("a", A, "0", strides=[1, 2])),
        torch_file(tensor("a", A, "0", offset=1)),
        torch_file(tensor("a", A, "0", offset=-6)),
        torch_file(tensor("a", A, "0"), keys=["9"]),
        torch_file(tensor("a", A, "0"), storages=[B]),
        torch_file(tensor("a", A, "0"), keys=[]),
        b"PK\x03\x04" + bytes(100),
    ],
)
def test_a_damaged_file_is_refused(data):
    with pytest.raises(ModelError, match="PyTorch file"):
        read_tensors(data)


WHOLE = torch_file(tensor("a", A, "0"), tensor("b", B, "1"))


@given(
    st.binary(max_size=200)
    | st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(1, 255)).map(
        lambda change: (
            WHOLE[: change[0]]
            + bytes([WHOLE[change[0]] ^ change[1]])
            + WHOLE[change[0] + 1 :]
        )
    )
)
def test_no_bytes_do_anything_but_give_tensors_or_an_error(data):
    try:
        found = read_tensors(data)
    except ModelError:
        return
    assert all(isinstance(values, np.ndarray) for values in found.values())


def test_weights_of_another_network_are_refused():
    with pytest.raises(ModelError, match="do not fit"):
        minifasnet.build("test", torch_file(tensor("a", A, "0")))
