# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenVINO on the CPU: reads an exported file, float32 or int8."""

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from ..signal.image import COLUMNS, ROWS
from . import KINDS, compiled
from .base import DEFAULT_THREADS, Runtime
from .libraries import load, processor
from .signal_stack import kept_signal_stack

if TYPE_CHECKING:
    from ..models.model import Model


class OpenVinoRuntime(Runtime):
    """Runs an exported model with OpenVINO.

    Raises:
        ModelError: the file is not what its card says, or no ONNX file.
    """

    def __init__(self, model: "Model", name: str = "openvino", threads: int = DEFAULT_THREADS) -> None:
        super().__init__(model, name, threads)
        openvino = load("openvino")
        export = KINDS[name].export
        assert export is not None, f"{name} runs an exported file"
        self._content, self._path = model.exported(export)
        self._graph: Any = None
        self._core = openvino.Core()
        settings = {
            "INFERENCE_NUM_THREADS": threads,
            "NUM_STREAMS": 1,
            "PERFORMANCE_HINT": "LATENCY",
            # Pinned threads of two processes would share one core while another is idle.
            "ENABLE_CPU_PINNING": False,
            # What is not int8 is float32: where a CPU has bfloat16, OpenVINO would take that by itself.
            "INFERENCE_PRECISION_HINT": "f32",
        }
        self._core.set_property("CPU", settings)
        self._facts = [model.card.exports[export]["sha256"], openvino.__version__, processor(), settings]
        self._requests: dict[int, Any] = {}
        try:
            self._request(1)
        except RuntimeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(
                f"{self._path} cannot be read by OpenVINO {openvino.__version__}: {reason} Make it again with "
                "`rpmsn export`"
            ) from error

    def _logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._request(len(images)).infer([images], share_inputs=True)[0]

    def _request(self, batch: int) -> Any:
        """What runs a batch of this size. Known in full, the shape makes faster code; there are one or two sizes."""
        if batch not in self._requests:
            key = hashlib.sha256(json.dumps([*self._facts, batch]).encode()).hexdigest()[:32]
            with kept_signal_stack():  # the first network loads the plugin
                network = self._recalled(key)
                if network is None:
                    network = self._compiled(batch)
                    made = network.export_model()
                    compiled.keep(key, made if isinstance(made, bytes) else made.getvalue())
                self._requests[batch] = network.create_infer_request()
        return self._requests[batch]

    def _recalled(self, key: str) -> Any:
        """The network as it was compiled before; None where it was not, or OpenVINO refuses it."""
        content = compiled.recall(key)
        if content is None:
            return None
        try:
            return self._core.import_model(io.BytesIO(content), "CPU")
        except RuntimeError:
            return None

    def _compiled(self, batch: int) -> Any:
        if self._graph is None:
            self._graph = self._core.read_model(self._content)
            self._check_shapes(
                self._path,
                [_without_batch(port) for port in self._graph.inputs],
                [_without_batch(port) for port in self._graph.outputs],
            )
        self._graph.reshape([batch, self.card.arguments["in_channels"], ROWS, COLUMNS])
        return self._core.compile_model(self._graph, "CPU")


def _without_batch(port: Any) -> tuple[int | None, ...]:
    """Shape of an input or output without its first dimension; None where a size is not fixed."""
    dimensions = list(port.get_partial_shape())[1:]
    return tuple(size.get_length() if size.is_static else None for size in dimensions)
