# SPDX-License-Identifier: GPL-3.0-or-later
"""ONNX Runtime on the CPU: reads an exported file, float32 or int8."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from . import KINDS
from .base import DEFAULT_THREADS, Runtime
from .libraries import load

if TYPE_CHECKING:
    from ..models.model import Model


class OnnxRuntime(Runtime):
    """Runs an exported model with ONNX Runtime.

    Raises:
        ModelError: the file is not what its card says, or no ONNX file.
    """

    def __init__(self, model: "Model", name: str = "onnxruntime", threads: int = DEFAULT_THREADS) -> None:
        super().__init__(model, name, threads)
        onnxruntime = load("onnxruntime")
        export = KINDS[name].export
        assert export is not None, f"{name} runs an exported file"
        content, path = model.exported(export)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # A thread that waits for work by spinning takes a core away from GNU Radio.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its classes of error share no base but this one
            raise ModelError(
                f"{path} cannot be read by ONNX Runtime {onnxruntime.__version__}: {error}; make it "
                "again with `rpmsn export`"
            ) from error
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        self._check_shapes(
            path, [tuple(value.shape[1:]) for value in inputs], [tuple(value.shape[1:]) for value in outputs]
        )
        self._input = inputs[0].name

    def _logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._session.run(None, {self._input: images})[0]
