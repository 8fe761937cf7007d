"""The only door to onnxruntime."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnxruntime

from edge.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

_ERRORS_ONLY = 3


class OnnxSession:
    """One loaded network. May be called from several threads."""

    def __init__(
        self,
        path: Path,
        threads: int = 1,
        usual_input_bytes: int | None = None,
        *,
        content: bytes | None = None,
    ) -> None:
        """Load the file; path must come from the model store, which checks its hash.

        usual_input_bytes: after a run on more, the memory that it took is given back;
        by default none ever is. content: the model itself, where path only names it.

        Raises:
            ModelError: the file is not there or is no usable model.
        """
        self._path = path
        self._usual_input_bytes = usual_input_bytes
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        # Idle workers that spin would take the cores from capture and search.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                content or str(path), options, providers=["CPUExecutionProvider"]
            )
        # onnxruntime's exception classes have no parent of their own.
        except Exception as error:
            raise ModelError(
                f"{path}: cannot be loaded ({_first_line(error)}); "
                "run: edge models prepare"
            ) from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Return the outputs in the model's order.

        Raises:
            ModelError: the inputs do not fit the model, or it fails.
        """
        try:
            outputs = self._session.run(None, dict(inputs), self._options(inputs))
        # onnxruntime's exception classes have no parent of their own.
        except Exception as error:
            raise ModelError(
                f"{self._path}: inference failed: {_first_line(error)}"
            ) from error
        return [np.asarray(output) for output in outputs]

    def _options(
        self, inputs: Mapping[str, NDArray[Any]]
    ) -> onnxruntime.RunOptions | None:
        size = sum(values.nbytes for values in inputs.values())
        if self._usual_input_bytes is None or size <= self._usual_input_bytes:
            return None
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        return options


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", maxsplit=1)[0][:200]
