"""What a start makes of what the last service left."""

import asyncio
import contextlib
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from backend import inference
from backend.service.core import build_core
from backend.service.database import Database, is_sound
from backend.service.job import CANCELLED, CANCELLING, DONE, FAILED, QUEUED, RUNNING, Job
from backend.service.problems import StorageFull
from backend.service.records import Records
from backend.service.recovery import MOST_INTERRUPTIONS, open_store
from backend.service.settings import Layout, ServiceSettings
from backend.service.store import RESULT, UPLOAD, Store, StoredFile
from backend.training import dataset

SHA_OF_ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1


def make_job(number: int, **values) -> Job:
    source = {"upload": SHA_OF_ABC, "name": "line.wav", "kind": "sound", "seconds": 1.0}
    request = {"name": "line", "uploads": [SHA_OF_ABC], "sources": [source], "seconds": 1.0, "options": {}}
    return Job(**{"id": f"{number:032x}", "kind": "animate", "key": f"{number:064x}", "request": request, **values})


@pytest.fixture
def layout(tmp_path) -> Layout:
    layout = Layout(tmp_path / "data")
    layout.make()
    return layout


@contextlib.contextmanager
def opened(layout: Layout):
    store, notes = open_store(layout)
    yield store, notes
    store.database.close()


def accept(store: Store, layout: Layout, *jobs: Job) -> None:
    (layout.uploads / SHA_OF_ABC).write_bytes(b"abc")
    store.put_file(StoredFile(SHA_OF_ABC, UPLOAD, 3, SHA_OF_ABC, {"kind": "sound", "seconds": 1.0}))
    for job in jobs:
        Records(layout.records).write(job)
        store.add(job)


def states(store: Store) -> dict[str, str]:
    kinds = ("animate", "train")
    return {
        job.id: job.state for job in store.newest((QUEUED, RUNNING, CANCELLING, DONE, FAILED, CANCELLED), kinds, 99)
    }


def test_running_jobs_are_queued_again_and_cancelled_ones_are_not(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1, state=RUNNING), make_job(2, state=CANCELLING), make_job(3))
    with opened(layout) as (store, notes):
        assert list(states(store).values()) == [QUEUED, CANCELLED, QUEUED]
        assert store.get(f"{1:032x}").interruptions == 1
        assert notes == []


def test_a_job_that_always_takes_the_service_along_is_given_up(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1, state=RUNNING, interruptions=MOST_INTERRUPTIONS))
    with opened(layout) as (store, _):
        assert list(states(store).values()) == [FAILED]
        assert "not tried again" in store.get(f"{1:032x}").error


def test_a_database_of_noise_is_replaced_by_its_backup_and_the_records(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1))
        store.database.back_up(layout.backup)
        accept(store, layout, make_job(2))
    layout.database.write_bytes(b"noise" * 5000)
    with opened(layout) as (store, notes):
        assert len(states(store)) == 2
        assert store.get_file(UPLOAD, SHA_OF_ABC).about == {"kind": "sound", "seconds": 1.0}
    assert "restored from its backup" in " ".join(notes)
    assert (layout.root / "jobs.broken-1.sqlite").exists()


def test_without_a_backup_the_records_are_enough(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1), make_job(2, state=FAILED, error="no sound"))
    layout.database.write_bytes(b"")
    with opened(layout) as (store, notes):
        assert sorted(states(store).values()) == [FAILED, QUEUED]
        assert store.get_file(UPLOAD, SHA_OF_ABC) is not None
    assert "a new one was made" in " ".join(notes)


def test_of_a_job_and_a_record_with_one_idempotency_key_both_are_kept(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1, idempotency="the-same"))
    Records(layout.records).write(make_job(2, idempotency="the-same"))
    with opened(layout) as (store, _):
        assert len(states(store)) == 2
        assert store.by_idempotency("the-same").id == f"{1:032x}"


def test_an_end_that_the_backup_does_not_know_is_kept(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1))
        store.database.back_up(layout.backup)
        store.change(f"{1:032x}", (QUEUED,), state=CANCELLED)
        Records(layout.records).write(store.get(f"{1:032x}"))
    layout.database.write_bytes(b"noise")
    with opened(layout) as (store, _):
        assert list(states(store).values()) == [CANCELLED]


def test_a_result_that_is_gone_or_cut_is_made_again(layout):
    whole, cut, gone = (make_job(number, state=DONE) for number in (1, 2, 3))
    with opened(layout) as (store, _):
        accept(store, layout, whole, cut, gone)
        for job in (whole, cut, gone):
            store.put_file(StoredFile(job.key, RESULT, 3, SHA_OF_ABC, {}))
        (layout.results / f"{whole.key}.zip").write_bytes(b"abc")
        (layout.results / f"{cut.key}.zip").write_bytes(b"ab")
    with opened(layout) as (store, _):
        assert {store.get(job.id).state for job in (cut, gone)} == {QUEUED}
        assert store.get(whole.id).state == DONE


@pytest.mark.parametrize("full", [False, True])
def test_a_result_that_is_gone_is_made_again_though_the_service_stops_before(layout, monkeypatch, full):
    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    job = make_job(1, state=DONE)
    with opened(layout) as (store, _):
        accept(store, layout, job)
        store.put_file(StoredFile(job.key, RESULT, 3, SHA_OF_ABC, {}))
    if full:
        monkeypatch.setattr("backend.service.whole_file.sync_file", fail)
    for _ in range(2):
        with opened(layout) as (store, _):
            assert store.get(job.id).state == QUEUED


def test_a_retry_that_cannot_be_recorded_is_refused(layout):
    job = make_job(1, state=FAILED, error="no sound")
    with opened(layout) as (store, _):
        accept(store, layout, job)
    core = build_core(ServiceSettings(data=layout.root))
    shutil.rmtree(layout.records)
    with pytest.raises(StorageFull, match="not retried"):
        asyncio.run(core.jobs.retry(job.id))
    assert core.store.get(job.id).state == FAILED
    layout.make()
    assert asyncio.run(core.jobs.retry(job.id)).state == QUEUED
    assert [record.state for record in Records(layout.records).read_all()] == [QUEUED]
    core.store.database.close()


def test_what_was_made_before_the_steps_changed_is_made_again(layout, monkeypatch):
    core = build_core(ServiceSettings(data=layout.root))
    request = {"sources": [], "actor_digest": SHA_OF_ABC, "options": {}}
    before = {kind: core.jobs._key(kind, request) for kind in ("animate", "inspect")}
    assert before == {kind: core.jobs._key(kind, request) for kind in before}
    monkeypatch.setattr(inference, "PIPELINE", inference.PIPELINE + 1)
    assert core.jobs._key("animate", request) != before["animate"]
    assert core.jobs._key("inspect", request) == before["inspect"]
    monkeypatch.setattr(dataset, "PIPELINE", dataset.PIPELINE + 1)
    assert core.jobs._key("inspect", request) != before["inspect"]
    core.store.database.close()


def test_half_files_and_files_of_nobody_are_deleted(layout):
    (layout.incoming / "half").write_bytes(b"x")
    (layout.results / ".half.zip.1234").write_bytes(b"x")
    (layout.uploads / ("f" * 64)).write_bytes(b"its digest is another")
    (layout.uploads / SHA_OF_ABC).write_bytes(b"abc")
    (layout.work / ("0" * 32)).mkdir()
    with opened(layout):
        left = {
            path.name
            for folder in ("incoming", "results", "uploads", "work")
            for path in (layout.root / folder).iterdir()
        }
    assert left == set()  # the whole upload, too: no job names it


def test_a_training_keeps_its_checkpoints(layout):
    job = make_job(1, kind="train", state=RUNNING)
    with opened(layout) as (store, _):
        accept(store, layout, job)
    (layout.work / job.id).mkdir()
    with opened(layout):
        assert (layout.work / job.id).is_dir()


def test_unreadable_records_are_passed_over(layout):
    (layout.records / "broken.json").write_text("{")
    with opened(layout) as (store, _):
        assert states(store) == {}


def test_a_backup_is_whole_while_the_database_is_written(layout):
    with opened(layout) as (store, _):
        for number in range(50):
            accept(store, layout, make_job(number))
            if number % 10 == 0:
                store.database.back_up(layout.backup)
                assert is_sound(layout.backup)
        store.database.back_up(layout.backup)
    with contextlib.closing(sqlite3.connect(layout.backup)) as copy:
        assert copy.execute("select count(*) from jobs").fetchone() == (50,)


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\x00", b"noise" * 100])
def test_what_is_no_database_of_ours(tmp_path, content):
    path = tmp_path / "file.sqlite"
    path.write_bytes(content)
    assert not is_sound(path)


@pytest.mark.parametrize("name", ["a#b", "a%20b", "a?b"])
def test_a_database_is_sound_wherever_it_lies(tmp_path, name):
    if os.name == "nt" and "?" in name:
        pytest.skip("no name for a folder there")
    (tmp_path / name).mkdir()
    with Database(tmp_path / name / "jobs.sqlite", tmp_path / name / "reserve").write():
        pass
    assert is_sound(tmp_path / name / "jobs.sqlite")


def test_a_full_disk_gives_the_reserve_back_and_says_so(tmp_path, monkeypatch):
    database = Database(tmp_path / "jobs.sqlite", tmp_path / "reserve")
    assert (tmp_path / "reserve").stat().st_size > 1_000_000
    with pytest.raises(StorageFull, match="full"), database.write():
        raise sqlite3.OperationalError("database or disk is full")
    assert not (tmp_path / "reserve").exists()
    assert database.keep_reserve()
    with database.write() as db:  # and it can be written again
        db.execute("insert into uses values ('a', 'b')")
    database.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    database = Database(tmp_path / "jobs.sqlite", tmp_path / "reserve")
    with pytest.raises(RuntimeError), database.write() as db:
        db.execute("insert into uses values ('a', 'b')")
        raise RuntimeError
    assert database.rows("select * from uses") == []
    database.close()


def test_the_order_of_the_queue(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1, priority=5), make_job(2, priority=9), make_job(3, priority=9))
        first = store.next_job(("animate",), ())
        assert first.id == f"{2:032x}"
        assert store.next_job(("animate",), (first.key,)).id == f"{3:032x}"
        assert store.next_job(("train",), ()) is None
        assert store.ahead_of(make_job(1), ("animate",)) == 2


def test_two_services_cannot_have_one_idempotency_key(layout):
    with opened(layout) as (store, _):
        accept(store, layout, make_job(1, idempotency="the-same"))
        with pytest.raises(sqlite3.IntegrityError):
            store.add(make_job(2, idempotency="the-same"))
        assert store.by_idempotency("the-same").id == f"{1:032x}"


def test_the_log_of_the_database_is_kept_with_it(layout):
    """What was committed is there after a kill, when only the write-ahead log has it."""
    store, _ = open_store(layout)
    accept(store, layout, make_job(1))
    copy = Path(str(layout.root) + "-copy")
    copy.mkdir()
    for suffix in ("", "-wal"):
        source = layout.root / f"jobs.sqlite{suffix}"
        (copy / source.name).write_bytes(source.read_bytes())
    with contextlib.closing(sqlite3.connect(copy / "jobs.sqlite")) as found:
        assert found.execute("select count(*) from jobs").fetchone() == (1,)
    store.database.close()
