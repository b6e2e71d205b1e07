"""Arrays written and read row by row are ordinary .npy files, complete or absent."""

import errno
from pathlib import Path

import numpy as np
import pytest

from backend.training.rows import RowWriter, read_rows


def test_what_is_written_is_read(tmp_path):
    rows = np.random.default_rng(0).integers(0, 255, (23, 4, 5), dtype=np.uint8)
    path = tmp_path / "rows.npy"
    with RowWriter(path, rows.shape, np.uint8) as writer:
        for start in range(0, 23, 10):
            writer.write(rows[start : start + 10])
    np.testing.assert_array_equal(np.load(path), rows)
    parts = list(read_rows(path, 7))
    assert [len(part) for part in parts] == [7, 7, 7, 2]
    np.testing.assert_array_equal(np.concatenate(parts), rows)


def test_an_interrupted_array_has_no_name(tmp_path):
    with pytest.raises(KeyboardInterrupt), RowWriter(tmp_path / "rows.npy", (3, 2), np.float32) as writer:
        writer.write(np.zeros((1, 2)))
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_missing_rows_are_noticed(tmp_path):
    with pytest.raises(ValueError, match="3 rows and got 1"), RowWriter(tmp_path / "rows.npy", (3, 2), np.float32) as w:
        w.write(np.zeros((1, 2)))
    assert not (tmp_path / "rows.npy").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path):
    (tmp_path / "rows.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError) as told, RowWriter(tmp_path / "rows.npy", (3, 2), np.float32) as writer:
        writer.write(np.zeros((3, 2)))
    assert told.value.errno == errno.ENOSPC
    assert list(tmp_path.iterdir()) == []
