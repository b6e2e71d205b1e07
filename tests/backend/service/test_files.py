"""Results as files: packed, addressed, sent in parts, expired; and locks."""

import contextlib
import zipfile

import pytest

from backend.errors import UsageError
from backend.file_lock import Lock
from backend.service.housekeeping import JUST_READ_SECONDS, Housekeeping, Readers
from backend.service.lock import SingleService
from backend.service.problems import RangeNotSatisfiable
from backend.service.ranges import parse_range
from backend.service.records import Records
from backend.service.recovery import open_store
from backend.service.result_file import read_members, write_result
from backend.service.settings import ServiceSettings
from backend.service.store import RESULT, UPLOAD, StoredFile
from backend.service.whole_file import write_whole
from tests.backend.service.test_recovery import make_job


def test_a_result_is_a_zip_and_its_members_lie_where_it_says(tmp_path):
    folder = tmp_path / "result"
    (folder / "atlas").mkdir(parents=True)
    contents = {"animation.npz": b"npz" * 100, "atlas/0001.png": b"png", "empty": b"", "n\u00e4me.txt": b"x"}
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    size, digest = write_result(folder, tmp_path / "one.zip")
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == contents
    whole = (tmp_path / "one.zip").read_bytes()
    assert len(whole) == size
    for name, member in read_members(tmp_path / "one.zip").items():
        assert whole[member.offset : member.offset + member.size] == contents[name]
    assert write_result(folder, tmp_path / "two.zip") == (size, digest)
    assert (tmp_path / "two.zip").read_bytes() == whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bytes=0-9", (0, 10)),
        ("bytes=5-", (5, 100)),
        ("bytes=-5", (95, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=90-500", (90, 100)),
        ("bytes=99-99", (99, 100)),
        (None, None),
        ("", None),
        ("bytes=-", None),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0-" + "9" * 200, None),
    ],
)
def test_ranges(text, expected):
    """Examples of RFC 9110, section 14.1.2, and forms that are to be ignored."""
    assert parse_range(text, 100) == expected


@pytest.mark.parametrize("text", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_ranges_beyond_the_end(text):
    with pytest.raises(RangeNotSatisfiable):
        parse_range(text, 100)


@pytest.fixture
def house(tmp_path):
    settings = ServiceSettings(tmp_path / "data", keep_gb=1, keep_days=2)
    settings.layout.make()
    store, _ = open_store(settings.layout)
    readers = Readers()
    house = Housekeeping(settings, store, Records(settings.layout.records), readers)
    yield house, store, readers, settings.layout
    store.database.close()


def keep(store, layout, role: str, name: str, size: int, unread: float) -> None:
    store.put_file(StoredFile(name, role, size, "0" * 64, {}, unread))
    folder = layout.results if role == RESULT else layout.uploads
    (folder / (f"{name}.zip" if role == RESULT else name)).write_bytes(b"x")


def test_old_results_expire_and_young_ones_stay(house):
    house, store, _, layout = house
    keep(store, layout, RESULT, "old", 1, 3 * 86_400)
    keep(store, layout, RESULT, "young", 1, 86_400)
    house.tidy()
    assert [file.name for file in store.files()] == ["young"]
    assert [path.name for path in layout.results.iterdir()] == ["young.zip"]


def test_too_much_goes_the_longest_unread_first(house):
    house, store, _, layout = house
    for number in range(4):
        keep(store, layout, RESULT, f"r{number}", 400_000_000, JUST_READ_SECONDS + 10 * number + 1)
    house.tidy()
    assert sorted(file.name for file in store.files()) == ["r0", "r1"]


def test_what_is_read_or_needed_stays(house):
    house, store, readers, layout = house
    keep(store, layout, RESULT, "read", 10**9, 9e9)
    keep(store, layout, RESULT, "just read", 10**9, 9e9)
    job = make_job(1)
    keep(store, layout, UPLOAD, job.uploads[0], 10**9, 9e9)
    store.add(job)
    house.read(RESULT, "just read")
    with readers.reading(RESULT, "read"):
        house.tidy()
    assert {file.name for file in store.files()} == {"read", "just read", job.uploads[0]}
    store.change(job.id, ("queued",), state="cancelled")
    store.grow_old(9e9, set())
    house.tidy()
    assert store.files() == []


def test_what_begins_to_be_read_while_the_house_is_tidied_stays(house, monkeypatch):
    house, store, readers, layout = house
    keep(store, layout, RESULT, "read", 1, 9e9)
    grow_old = store.grow_old
    with contextlib.ExitStack() as reading:

        def grow_old_and_begin(*values) -> None:
            grow_old(*values)
            reading.enter_context(readers.reading(RESULT, "read"))

        monkeypatch.setattr(store, "grow_old", grow_old_and_begin)
        house.tidy()
    assert [file.name for file in store.files()] == ["read"]


def test_clocks_that_jump_make_nothing_old(house, monkeypatch):
    house, store, _, layout = house
    keep(store, layout, RESULT, "result", 1, 0)
    monkeypatch.setattr("time.time", lambda: 9e9)
    house.tidy()
    assert store.get_file(RESULT, "result").unread < 60


def test_a_backup_is_made(house):
    house, _, _, layout = house
    house.tidy()
    assert layout.backup.exists()


def test_a_lock_is_held_by_one(tmp_path):
    first, second = Lock(tmp_path / "lock"), Lock(tmp_path / "lock")
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    second.release()


def test_two_homes_cannot_share_a_data_folder(tmp_path):
    (tmp_path / "data").mkdir()
    first, second = (SingleService(tmp_path / home, tmp_path / "data") for home in ("one", "two"))
    first.take()
    with pytest.raises(UsageError, match="running already"):
        second.take()
    first.release()
    second.take()
    second.release()


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_whole(path, b"old")
    assert path.stat().st_mode & 0o777 == 0o600

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("backend.service.whole_file.sync_file", fail)
    with pytest.raises(OSError, match="No space"):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert [item.name for item in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("values", [{"port": 70_000}, {"port": -1}, {"workers": 0}, {"keep_gb": 0}, {"max_queue": 0}])
def test_settings_that_make_no_sense_are_refused_by_name(tmp_path, values):
    with pytest.raises(UsageError, match=next(iter(values)).replace("_", "-")):
        ServiceSettings(tmp_path, **values)


def test_only_folders_can_be_allowed(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        ServiceSettings(tmp_path, allow=(tmp_path / "missing",))
