"""Small parts by themselves: time left, events, metrics, the log, the envelope of a sound, worker processes."""

import asyncio
import contextlib
import errno
import json
import logging
import os
import re
import shutil
import zipfile
from types import SimpleNamespace

import numpy as np
import pytest
from fastapi.routing import APIRoute
from PIL import Image

from backend import errors
from backend.actor_file import ATLAS, DESCRIPTION, load_actor
from backend.actor_library import SHIPPED
from backend.errors import ActorError, MouthpieceError
from backend.service import checkers, estimate, housekeeping, tasks, whole_file
from backend.service.checkers import Checkers
from backend.service.core import build_core
from backend.service.estimate import Estimator, Pace
from backend.service.events import Events
from backend.service.live_workers import LiveWorkers
from backend.service.logs import JsonFormatter
from backend.service.metrics import Metrics
from backend.service.preview import envelope
from backend.service.problems import STATUS, Busy, Problem, StorageFull, http_status
from backend.service.process import WorkerDied, WorkerProcess, _environment
from backend.service.result_file import read_members, write_result
from backend.service.routes.system import system_routes
from backend.service.settings import ServiceSettings
from backend.service.store import UPLOAD, StoredFile
from backend.service.uploads import MOST_AT_ONCE
from backend.service.whole_file import write_whole
from backend.trust.provenance import file_sha256


def test_a_file_is_whole_before_it_is_forced_to_the_disk(tmp_path, monkeypatch):
    sizes = []
    monkeypatch.setattr(whole_file, "sync_file", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    write_whole(tmp_path / "note.json", b"seven hundred bytes" * 37)
    assert sizes == [703] == [(tmp_path / "note.json").stat().st_size]


def test_a_large_file_fits_into_a_result(tmp_path, monkeypatch):
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)  # instead of writing two gigabytes
    (tmp_path / "result").mkdir()
    (tmp_path / "result/animation.npz").write_bytes(bytes(5000))
    write_result(tmp_path / "result", tmp_path / "result.zip")
    assert read_members(tmp_path / "result.zip")["animation.npz"].size == 5000
    with zipfile.ZipFile(tmp_path / "result.zip") as archive:
        assert archive.read("animation.npz") == bytes(5000)


def test_so_many_uploads_come_in_at_once_and_no_more(tmp_path):
    settings = ServiceSettings(tmp_path)
    settings.layout.make()
    core = build_core(settings)
    with contextlib.ExitStack() as arriving:
        for _ in range(MOST_AT_ONCE):
            arriving.enter_context(core.uploads.place(0))
        with pytest.raises(Busy), core.uploads.place(0):
            pass
    with core.uploads.place(0):  # those have ended
        pass
    core.store.database.close()


def test_the_status_asks_the_database_once_for_the_jobs_and_once_for_the_files(tmp_path, monkeypatch):
    settings = ServiceSettings(tmp_path)
    settings.layout.make()
    core = build_core(settings)
    for number, size in enumerate((5, 7)):
        core.store.put_file(StoredFile(str(number), UPLOAD, size, str(number), {}))
    asked, rows = [], core.store.database.rows
    monkeypatch.setattr(core.store.database, "rows", lambda *query: asked.append(query) or rows(*query))
    routes = {route.name: route.endpoint for route in system_routes(core).routes if isinstance(route, APIRoute)}
    status = asyncio.run(routes["status"]())
    assert (status.kept, status.jobs["queued"], len(asked)) == (12, 0, 2)
    asyncio.run(routes["metrics"]())
    assert len(asked) == 3
    core.store.database.close()


@pytest.mark.parametrize(("total", "free", "full"), [(1 << 40, 60, True), (200 << 20, 60, False), (200 << 20, 9, True)])
def test_a_disk_is_nearly_full_where_uploads_are_refused(tmp_path, monkeypatch, total, free, full):
    settings = ServiceSettings(tmp_path)
    settings.layout.make()
    settings.layout.reserve.touch()
    core = build_core(settings)
    usage = SimpleNamespace(total=total, free=free << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert bool(core.problems) == full
    with contextlib.nullcontext() if not full else pytest.raises(StorageFull), core.uploads.place(0):
        pass
    core.store.database.close()


def test_housekeeping_outlives_a_file_that_cannot_be_deleted(monkeypatch):
    monkeypatch.setattr(housekeeping, "PERIOD_SECONDS", 0.01)
    rounds = []

    class Stuck(housekeeping.Housekeeping):
        def __init__(self) -> None:
            pass

        def tidy(self) -> None:
            rounds.append(len(rounds))
            raise PermissionError(13, "in use")

    with pytest.raises(TimeoutError):
        asyncio.run(asyncio.wait_for(Stuck().run(), 1))
    assert len(rounds) > 2


def test_each_error_has_a_status_of_its_own():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and kind is not MouthpieceError]
    assert kinds
    assert all(issubclass(kind, tuple(known for known, _ in STATUS)) for kind in kinds)
    for problem in Problem.__subclasses__():
        assert "status" in vars(problem), problem
    full = OSError(errno.ENOSPC, "No space left on device", "line.wav")
    assert http_status(errors.StorageProblem(full)) == 507


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

    monkeypatch.setattr(estimate.time, "monotonic", lambda: Clock.now)
    return Clock


def test_time_left_from_the_own_pace_and_from_earlier_jobs(clock):
    estimator = Estimator()
    first = Pace("animate", size=10.0)
    assert estimator.seconds_left(first) is None
    first.enter("listen", 0, 10)
    clock.now += 2
    first.enter("listen", 5, 10)
    assert estimator.seconds_left(first) == pytest.approx(2.0)
    clock.now += 2
    first.enter("texture", 0, 10)
    clock.now += 6
    estimator.learn(first)
    second = Pace("animate", size=20.0)  # twice the sound, twice the time: 8 s to listen, 12 s of texture
    second.enter("listen", 0, 10)
    assert estimator.seconds_left(second) == pytest.approx(20.0)
    clock.now += 4
    second.enter("listen", 5, 10)
    assert estimator.seconds_left(second) == pytest.approx(4 + 12)


def test_a_slow_listener_hears_the_newest_state_only():
    async def listen():
        events = Events()
        stream = events.stream(None, {"id": "first", "state": "queued", "number": -1})
        heard = [await anext(stream)]
        for number in range(1000):
            events.publish({"id": "a", "state": "running", "number": number})
        events.publish({"id": "b", "state": "queued", "number": 0})
        heard += [await anext(stream), await anext(stream)]
        events.close()
        return heard, [view async for view in stream], events.wanted

    heard, after, wanted = asyncio.run(listen())
    assert [view["number"] for view in heard] == [-1, 999, 0]
    assert after == []
    assert not wanted


def test_a_stream_ends_with_its_job():
    async def listen():
        events = Events()
        stream = events.stream("a", {"id": "a", "state": "running"})
        heard = [await anext(stream)]
        events.publish({"id": "b", "state": "done"})
        events.publish({"id": "a", "state": "done"})
        return heard + [view async for view in stream]

    assert asyncio.run(listen()) == [{"id": "a", "state": "running"}, {"id": "a", "state": "done"}]


def test_metrics_keep_to_the_text_format(service):
    metrics = Metrics()
    metrics.count("jobs_ended_total", state="done")
    metrics.time_request(0.003)
    metrics.time_request(3.0)
    text = metrics.render([("jobs", {"state": "queued"}, 3), ("uptime_seconds", {}, 1.5)])
    for line in text.splitlines():
        assert re.fullmatch(
            r"# TYPE \w+ (counter|gauge|histogram)|\w+(\{\w+=\"[^\"]*\"(,\w+=\"[^\"]*\")*\})? \S+", line
        )
    assert 'mouthpiece_request_seconds_bucket{le="0.005"} 1' in text
    assert 'mouthpiece_request_seconds_bucket{le="+Inf"} 2' in text
    with service.client._open("GET", "/v1/metrics") as response:
        served = response.read().decode()
    assert 'mouthpiece_jobs{state="queued"}' in served
    assert "mouthpiece_disk_free_bytes" in served


def test_the_log_is_json_without_the_token(service):
    record = logging.makeLogRecord({"msg": "request %s", "args": ("with s3cret",), "path": "/s3cret", "ms": 1.5})
    line = JsonFormatter("s3cret").format(record)
    assert "s3cret" not in line
    assert json.loads(line)["ms"] == 1.5
    for row in service.log:
        assert {"time", "level", "what"} <= set(row)


def test_the_envelope():
    samples = np.array([0.0, 0.5, -0.25, 0.1, 0.2], np.float32)
    assert envelope(samples, 2) == [[0.0, 0.5], [-0.25, 0.1], [0.2, 0.2]]


def run_in_worker(task: dict, memory_mb: int = 2048, silence: float = 60, most: float | None = None):
    async def work():
        worker = WorkerProcess("test", memory_mb)
        try:
            return await worker.run(task, lambda _: None, silence, most)
        finally:
            await worker.stop()

    return asyncio.run(work())


def test_a_worker_that_takes_too_long_is_ended(tmp_path):
    pipe = tmp_path / "never"
    import os

    os.mkfifo(pipe)  # its reader waits for ever
    task = {"task": "check_sound", "path": str(pipe), "folder": str(tmp_path / "work"), "most_seconds": 60}
    with pytest.raises(WorkerDied, match="no sign of life"):
        run_in_worker(task, silence=2.0)


def test_a_worker_that_takes_too_much_memory_says_so(tmp_path, new_sound):
    (tmp_path / "long.wav").write_bytes(new_sound(400.0))
    task = {"task": "check_sound", "path": str(tmp_path / "long.wav"), "folder": str(tmp_path), "most_seconds": 6000}
    assert run_in_worker(task)["finished"]["seconds"] == pytest.approx(400.0)
    try:
        outcome = run_in_worker(task, memory_mb=230)
    except WorkerDied:
        return  # a library that cannot even be loaded ends the process
    assert "failed" in outcome


def test_a_check_that_is_broken_off_leaves_the_next_alone(tmp_path, new_sound, monkeypatch):
    monkeypatch.setattr(checkers, "PLACES", {"sound": 1})
    os.mkfifo(tmp_path / "never")  # its reader waits for ever
    (tmp_path / "line.wav").write_bytes(new_sound(2.0))

    async def work():
        checking = Checkers(60.0)
        try:
            await checking.check("sound", tmp_path / "line.wav", tmp_path)
            broken_off = asyncio.create_task(checking.check("sound", tmp_path / "never", tmp_path))
            await asyncio.sleep(0.3)
            broken_off.cancel()
            return await checking.check("sound", tmp_path / "line.wav", tmp_path), broken_off.cancelled()
        finally:
            await checking.stop()

    about, cancelled = asyncio.run(work())
    assert about["seconds"] == pytest.approx(2.0)
    assert cancelled


def test_a_stop_ends_live_workers_that_are_in_use_too():
    async def work():
        workers = LiveWorkers()
        async with workers.one() as worker:
            await worker.start()
            await workers.stop()
            return worker.alive

    assert not asyncio.run(work())


def test_an_actor_that_was_changed_and_put_back_is_used_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path))
    monkeypatch.setattr(tasks, "load_actor_once", tasks.lru_cache(tasks.load_actor_once.__wrapped__))
    folder = tmp_path / "actors/anna"
    shutil.copytree(SHIPPED / "default", folder)
    as_accepted = (folder / DESCRIPTION).read_text(), (folder / ATLAS).read_bytes()
    digest = load_actor(folder).digest
    Image.new("RGB", (256, 256)).save(folder / ATLAS)
    description = json.loads(as_accepted[0])
    description["digests"][ATLAS] = file_sha256(folder / ATLAS)
    (folder / DESCRIPTION).write_text(json.dumps(description))
    with pytest.raises(ActorError, match="changed"):
        tasks.find_loaded_actor("anna", digest)
    (folder / DESCRIPTION).write_text(as_accepted[0])
    (folder / ATLAS).write_bytes(as_accepted[1])
    assert tasks.find_loaded_actor("anna", digest).digest == digest


def test_the_actor_that_a_worker_begins_with_is_the_one_that_jobs_use(monkeypatch):
    monkeypatch.setattr(tasks, "load_actor_once", tasks.lru_cache(tasks.load_actor_once.__wrapped__))
    tasks.warm_up()
    tasks.find_loaded_actor("default", load_actor(SHIPPED / "default").digest)
    assert tasks.load_actor_once.cache_info().misses == 1


def test_secrets_in_the_environment_stay_outside(monkeypatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    environment = _environment()
    assert "secret" not in environment.values()
    assert environment["OMP_NUM_THREADS"] == "1"
