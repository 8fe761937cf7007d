"""Images as PNG, for evidence and for drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2

from edge.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def encode_png(image: NDArray[np.uint8]) -> bytes:
    """Encode a grey (height, width) or RGB (height, width, 3) image without loss.

    Raises:
        InputError: OpenCV cannot encode it.
    """
    pixels = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    try:
        done, data = cv2.imencode(".png", pixels)
    except cv2.error as error:
        message = f"an image of shape {image.shape} cannot be encoded: {error.err}"
        raise InputError(message) from error
    if not done:
        message = f"an image of shape {image.shape} cannot be encoded as PNG"
        raise InputError(message)
    return data.tobytes()
