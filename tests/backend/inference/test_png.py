"""Written pictures are read back unchanged by Pillow."""

import numpy as np
import pytest
from PIL import Image

from backend.inference.png import write_png


@pytest.mark.parametrize("shape", [(128, 128, 3), (1, 5, 3), (7, 1, 3)])
def test_pillow_reads_the_same_pixels(tmp_path, shape):
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    write_png(tmp_path / "a.png", picture)
    with Image.open(tmp_path / "a.png") as image:
        image.load()
        assert (image.mode, image.format) == ("RGB", "PNG")
        assert np.array_equal(np.asarray(image), picture)
