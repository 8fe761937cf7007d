"""The tensors of a PyTorch file of the old kind (before 1.6), without PyTorch.

Such a file is five pickles (magic number, protocol, machine, the object, storage keys)
and then each storage: its length as int64 and its numbers, little-endian. A pickle is a
program, and nobody's program is run here: its instructions are read one by one
(pickletools), the few that a dictionary of tensors needs are followed, and any other
ends the reading.
"""

from __future__ import annotations

import io
import pickletools
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from edge.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MOST_INSTRUCTIONS = 200_000
MOST_BYTES = 64 * 1024 * 1024
_TYPES: dict[str, np.dtype[Any]] = {
    "torch FloatStorage": np.dtype("<f4"),
    "torch LongStorage": np.dtype("<i8"),
}
_REBUILD, _ORDERED = "torch._utils _rebuild_tensor_v2", "collections OrderedDict"
_KNOWN = frozenset({*_TYPES, _REBUILD, _ORDERED})
_CONSTANTS = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
}
_LITERALS = frozenset({"BININT", "BININT1", "BININT2", "LONG1", "BINUNICODE"})


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


_MARK = object()


def read_tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dictionary by name; a leading "module." is cut.

    Raises:
        ModelError: no such file, damaged, or with anything else in it.
    """
    try:
        return _read(data)
    except ModelError:
        raise
    # Hostile bytes make pickletools and struct raise nearly anything.
    except Exception as error:
        raise ModelError(f"PyTorch file: cannot be read: {error!r}") from error


def _read(data: bytes) -> dict[str, NDArray[Any]]:
    if len(data) > MOST_BYTES:
        raise ModelError(f"PyTorch file: larger than {MOST_BYTES} bytes")
    stream = io.BytesIO(data)
    head = [_unpickled(stream) for _ in range(2)]
    if head != [MAGIC, PROTOCOL]:
        raise ModelError("PyTorch file: not of the kind before PyTorch 1.6")
    _unpickled(stream)  # of the machine that wrote it
    tensors, keys = _unpickled(stream), _unpickled(stream)
    if not isinstance(tensors, dict) or not isinstance(keys, list):
        raise ModelError("PyTorch file: holds no dictionary of tensors")
    wanted = {item.storage.key: item.storage for item in tensors.values()}
    storages = {key: _storage(stream, wanted[key]) for key in keys}
    return {
        name.removeprefix("module."): _placed(item, storages[item.storage.key])
        for name, item in tensors.items()
    }


def _storage(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    (count,) = struct.unpack("<q", stream.read(8))
    if count != storage.count:
        raise ModelError(f"PyTorch file: storage {storage.key} has another length")
    kind = _TYPES[storage.kind]
    numbers = stream.read(count * kind.itemsize)
    if len(numbers) != count * kind.itemsize:
        raise ModelError("PyTorch file: cut off")
    return np.frombuffer(numbers, kind)


def _placed(tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    """Return the part of a storage that a tensor is; rows follow each other."""
    count = int(np.prod(tensor.shape, dtype=np.int64))
    expected, step = [], 1
    for extent in reversed(tensor.shape):
        expected.append(step)
        step *= extent
    if tensor.strides != tuple(reversed(expected)):
        raise ModelError("PyTorch file: a tensor lies crosswise in its storage")
    part = numbers[tensor.offset : tensor.offset + count]
    if tensor.offset < 0 or len(part) != count:
        raise ModelError("PyTorch file: a tensor lies outside its storage")
    return part.reshape(tensor.shape)


def _unpickled(stream: io.BytesIO) -> Any:  # noqa: ANN401  whatever the instructions make
    """Return what the next pickle describes, as far as it is allowed to."""
    machine = _Machine()
    for number, (opcode, argument, _) in enumerate(pickletools.genops(stream)):
        if number > MOST_INSTRUCTIONS:
            break
        if opcode.name == "STOP":
            [result] = machine.stack
            return result
        machine.follow(opcode.name, argument)
    raise ModelError("PyTorch file: a pickle without an end")


class _Machine:
    """The stack and memo of the pickle protocol, with nothing that could run code."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._actions: dict[str, Callable[[Any], None]] = {
            "PROTO": lambda _: None,
            "MARK": lambda _: self.stack.append(_MARK),
            "EMPTY_DICT": lambda _: self.stack.append({}),
            "EMPTY_LIST": lambda _: self.stack.append([]),
            "EMPTY_TUPLE": lambda _: self.stack.append(()),
            "TUPLE": lambda _: self.stack.append(tuple(self._to_mark())),
            "TUPLE1": lambda _: self._tuple(1),
            "TUPLE2": lambda _: self._tuple(2),
            "TUPLE3": lambda _: self._tuple(3),
            "GLOBAL": self._global,
            "REDUCE": lambda _: self._reduce(),
            "BINPERSID": lambda _: self._persistent(),
            "SETITEM": lambda _: self._set([self.stack.pop(-2), self.stack.pop()]),
            "SETITEMS": lambda _: self._set(self._to_mark()),
            "APPENDS": lambda _: self._extend(self._to_mark()),
            "APPEND": lambda _: self._extend([self.stack.pop()]),
            # Attributes of the dictionary, which nobody needs.
            "BUILD": lambda _: self._drop(),
        }

    def follow(self, name: str, argument: Any) -> None:  # noqa: ANN401  of any instruction
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self.stack.append(argument)
        elif name in {"BINPUT", "LONG_BINPUT"}:
            self._memo[argument] = self.stack[-1]
        elif name in {"BINGET", "LONG_BINGET"}:
            self.stack.append(self._memo[argument])
        elif name in self._actions:
            self._actions[name](argument)
        else:
            raise ModelError(f"PyTorch file: instruction {name} is not allowed")

    def _tuple(self, count: int) -> None:
        values = tuple(self.stack[-count:])
        del self.stack[-count:]
        self.stack.append(values)

    def _to_mark(self) -> list[Any]:
        values: list[Any] = []
        while (value := self.stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _global(self, name: str) -> None:
        if name not in _KNOWN:
            raise ModelError(f"PyTorch file: names {name[:60]!r}, which is not allowed")
        self.stack.append(_Global(name))

    def _reduce(self) -> None:
        """Note a tensor or an empty dictionary; nothing is called."""
        arguments, target = self.stack.pop(), self.stack.pop()
        if target == _Global(_ORDERED) and arguments == ():
            self.stack.append({})
            return
        if target != _Global(_REBUILD):
            raise ModelError("PyTorch file: makes something that is no tensor")
        storage, offset, shape, strides, *_ = arguments
        self.stack.append(_Tensor(storage, offset, tuple(shape), tuple(strides)))

    def _persistent(self) -> None:
        kind, storage_type, key, _, count, *_ = self.stack.pop()
        if kind != "storage" or storage_type.name not in _TYPES:
            raise ModelError("PyTorch file: refers to something that is no storage")
        self.stack.append(_Storage(storage_type.name, key, count))

    def _set(self, items: list[Any]) -> None:
        target = self.stack[-1]
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[key] = value

    def _extend(self, items: list[Any]) -> None:
        self.stack[-1].extend(items)

    def _drop(self) -> None:
        self.stack.pop()
