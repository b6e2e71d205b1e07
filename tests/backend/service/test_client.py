"""The client that the add-on carries: alone, typed, patient, and plain about what went wrong."""

import ast
import errno
import http.client
import http.server
import json
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest
from platformdirs import user_data_path

from backend.service import client as module
from backend.service.client import Client, JobFailed, ServiceError, ServiceUnreachable, default_home
from tests.backend.service.running import QUICK


def test_it_imports_nothing_but_the_standard_library():
    tree = ast.parse(Path(module.__file__).read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module).split(".")[0])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
    assert names <= set(sys.stdlib_module_names)


def test_the_home_is_where_the_service_has_it(monkeypatch, tmp_path):
    monkeypatch.delenv("MOUTHPIECE_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert default_home() == user_data_path("mouthpiece", appauthor=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert default_home() == user_data_path("mouthpiece", appauthor=False)
    monkeypatch.setenv("MOUTHPIECE_HOME", "~/elsewhere")
    assert default_home() == Path.home() / "elsewhere"


def test_nobody_there(tmp_path):
    with pytest.raises(ServiceUnreachable, match="mouthpiece serve"):
        Client.find(tmp_path)
    with pytest.raises(ServiceUnreachable):
        Client("http://127.0.0.1:9", "token").health()
    with pytest.raises(ServiceUnreachable):
        Client("http://a..b:80", "token").health()


@pytest.mark.parametrize(
    "address", ["", "127.0.0.1:9", "h:9", "https://h", "http://", "http://h:abc", "http://h:99999", "http://[::1:80"]
)
def test_what_is_no_address(address):
    with pytest.raises(ServiceError, match="no address"):
        Client(address, "token")


@pytest.mark.parametrize("token", ["tökén", "a\nb", "a\r\nHost: b", "a\0"])
def test_what_is_no_token(token):
    with pytest.raises(ServiceError, match="token"):
        Client("http://127.0.0.1:9", token)


def test_no_way_to_it(monkeypatch):
    def unreachable(connection):
        raise OSError(errno.EHOSTUNREACH, "No route to host")

    monkeypatch.setattr(http.client.HTTPConnection, "connect", unreachable)
    with pytest.raises(ServiceUnreachable, match="No route"):
        Client("http://192.0.2.1:80", "token").health()


def test_a_wrong_token_is_told_apart(service):
    stranger = Client(service.client.url, "wrong")
    assert stranger.health()["status"] == "ok"
    with pytest.raises(ServiceError) as refused:
        stranger.jobs()
    assert refused.value.status == 401


def test_the_doctor_sees_the_service(service, monkeypatch):
    from backend.cli.doctor import check_service

    monkeypatch.setenv("MOUTHPIECE_HOME", str(service.home))
    finding = check_service()
    assert finding.state == "good"
    assert service.client.url in finding.detail


def test_proxies_are_not_asked(service, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert service.client.health()["service"] == "mouthpiece"


def test_a_file_too_large_is_refused_with_its_sentence_and_not_a_broken_pipe(service, tmp_path):
    path = tmp_path / "large.zip"
    path.write_bytes(bytes(40 << 20))
    with pytest.raises(ServiceError) as refused:
        service.client.install_actor(path)
    assert refused.value.status == 422


def test_an_exception_while_waiting_leaves_the_job(service, new_sound):
    client = service.client
    job = client.animate(client.upload(new_sound()), **QUICK)

    def escape(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.wait(job, escape)
    assert client.wait(job).state == "done"


def test_jobs_are_listed_and_chosen(service, new_sound):
    client = service.client
    jobs = [client.wait(client.animate(client.upload(new_sound(0.3)), name=f"n{n}", **QUICK)) for n in range(3)]
    newest = [job.id for job in client.jobs(state="done", kind="animate", limit=3)]
    assert newest == [job.id for job in reversed(jobs)]


def test_a_failed_wait_has_the_job(service, new_sound):
    client = service.client
    job = client.animate(client.upload(new_sound(10.0)), texture=True)
    client.cancel(job)
    with pytest.raises(JobFailed) as failed:
        client.wait(job)
    assert failed.value.job.state == "cancelled"


class Flaky(http.server.BaseHTTPRequestHandler):
    """Is busy twice, in both ways, then breaks off a result in the middle of each answer."""

    content = bytes(range(256)) * 400
    busy = 2

    def do_GET(self) -> None:
        import hashlib

        if self.path == "/v1/health":
            Flaky.busy -= 1
            if Flaky.busy >= 0:
                self.send_response(429 if Flaky.busy else 503)
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(b'{"error": "Busy.", "status": 503}')
                return
            self._send(json.dumps({"service": "mouthpiece"}).encode())
        elif self.path.endswith("/result"):
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            rest = self.content[start:]
            self.send_response(206)
            self.send_header("Content-Length", str(len(rest)))
            self.end_headers()
            self.wfile.write(rest[:30_000])
        else:
            result = {"size": len(self.content), "sha256": hashlib.sha256(self.content).hexdigest()}
            job = {"id": "1", "kind": "animate", "state": "done", "name": "x", "result": result}
            self._send(json.dumps(job).encode())

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def serving(handler: type[http.server.BaseHTTPRequestHandler]):
    """A client of another server."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield Client(f"http://127.0.0.1:{server.server_port}", "token", 10)
    finally:
        server.shutdown()
        server.server_close()


def test_it_asks_a_busy_service_again():
    with serving(Flaky) as client:
        assert client.health() == {"service": "mouthpiece"}


def test_a_file_is_sent_again_whole_to_a_busy_service(tmp_path):
    received = []

    class Busy(Flaky):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            if len(received) == 1:
                self.send_response(503)
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(b'{"error": "Busy.", "status": 503}')
            else:
                self._send(json.dumps({"name": "anna"}).encode())

    (tmp_path / "anna.zip").write_bytes(Flaky.content)
    with serving(Busy) as client:
        assert client.install_actor(tmp_path / "anna.zip") == {"name": "anna"}
    assert received == [Flaky.content] * 2


def test_a_service_that_sends_nothing_of_a_result_is_not_asked_for_ever(tmp_path, monkeypatch):
    class Empty(Flaky):
        def do_GET(self) -> None:
            if self.path.endswith("/result"):
                self._send(b"")
            else:
                super().do_GET()

    waits = []
    monkeypatch.setattr(module.time, "sleep", waits.append)
    with serving(Empty) as client, pytest.raises(ServiceUnreachable, match="sends no more of the result"):
        client.fetch_result("1", tmp_path / "result.zip")
    assert len(waits) == module.BUSY_TRIES
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_breaks_off_is_fetched_to_its_end(tmp_path):
    seen = []
    with serving(Flaky) as client:
        path = client.fetch_result("1", tmp_path / "result.zip", lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == Flaky.content
    assert seen[-1] == (len(Flaky.content), len(Flaky.content))
    assert [item.name for item in tmp_path.iterdir()] == ["result.zip"]


@pytest.mark.parametrize("body", [b"<html>hello</html>", b"[1, 2]", b"\xff", b"", b'{"service": "other"}'])
def test_another_program_at_the_address(body, tmp_path):
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with serving(Other) as client:
        with pytest.raises(ServiceUnreachable, match="Something else than Mouthpiece"):
            client.health()
        if b"service" not in body:
            (tmp_path / "line.wav").write_bytes(b"sound")
            with pytest.raises(ServiceUnreachable, match="Something else than Mouthpiece"):
                client.upload(tmp_path / "line.wav")
