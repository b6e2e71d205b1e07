"""Who is kept out: no token, a wrong one, foreign hosts and pages, other users of the computer."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys

import pytest

from backend.__main__ import main
from backend.errors import UsageError
from backend.service.server import is_loopback
from backend.service.token import load_token
from tests.backend.service.running import ROOT

OPEN = {"/", "/v1/health", "/v1/openapi.json"}


def ask(service, place: str, method: str = "GET", body: bytes | None = None, **headers: str):
    """Status, headers and body of a request with exactly these headers besides Host."""
    connection = http.client.HTTPConnection(*service.address, timeout=20)
    host = headers.pop("Host", f"{service.address[0]}:{service.address[1]}")
    connection.putrequest(method, place, skip_host=True, skip_accept_encoding=True)
    for name, value in {"Host": host, **headers}.items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body or b"")))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # a refusal may come before all is sent
        connection.endheaders(body)
    answer = connection.getresponse()
    return answer.status, dict(answer.headers), answer.read()


def routes(service) -> list[tuple[str, str]]:
    """Every method and address in the OpenAPI document."""
    import json

    document = json.loads(ask(service, "/v1/openapi.json")[2])
    return [
        (method.upper(), path.replace("{job_id}", "0" * 32).replace("{name}", "x"))
        for path, operations in document["paths"].items()
        for method in operations
    ]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer {token}x",
        "Bearer {short}",
        "Bearer {upper}",
        "Basic {token}",
        "{token}",
        "bearer\t{token}",
        "Bearer {token} {token}",
        'Bearer "{token}"',
        "Bearer é",
    ],
)
def test_no_token_or_a_wrong_one(service, authorization):
    token = service.token
    headers = {}
    if authorization is not None:
        text = authorization.format(token=token, short=token[:-1], upper=token.swapcase())
        headers["Authorization"] = text.encode().decode("latin-1")
    for method, place in routes(service):
        status, answered, body = ask(service, place, method, **headers)
        if place in OPEN:
            assert status == 200
            continue
        assert status == 401, (method, place)
        assert answered["www-authenticate"] == "Bearer"
        assert b"token" in body
        assert token.encode() not in body


def test_the_token_is_not_taken_from_the_address(service):
    assert ask(service, f"/v1/jobs?token={service.token}&access_token={service.token}")[0] == 401


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:{port}",
        "127.0.0.1.evil.example:{port}",
        "localhost.evil.example:{port}",
        "127.0.0.1:1",
        "127.0.0.1",
        "localhost",
        "",
        "user@127.0.0.1:{port}",
        "127.0.0.1:{port}@evil.example",
        "127.0.0.1:{port}/x",
        "192.168.1.7:{port}",
        "2130706433:{port}",
        "0x7f.1:{port}",
        "[::1",
        "127.0.0.1:{port}.evil.example",
    ],
)
@pytest.mark.parametrize("place", ["/", "/v1/health", "/v1/jobs"])
def test_a_foreign_host_is_refused(service, host, place):
    headers = {"Authorization": f"Bearer {service.token}"}
    assert ask(service, place, Host=host.format(port=service.address[1]), **headers)[0] in (400, 403)


def test_own_hosts_are_not(service):
    for host in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        assert ask(service, "/v1/health", Host=f"{host}:{service.address[1]}")[0] == 200


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "http://localhost:{port}",
        "null",
        "file://",
        "",
        "http://127.0.0.1:{port}.evil.example",
        "http://127.0.0.1:{port}, http://evil.example",
        "chrome-extension://abcdefgh",
    ],
)
@pytest.mark.parametrize(("method", "place"), [("GET", "/v1/jobs"), ("POST", "/v1/jobs"), ("POST", "/v1/uploads")])
def test_a_foreign_origin_is_refused(service, origin, method, place):
    headers = {"Authorization": f"Bearer {service.token}", "Origin": origin.format(port=service.address[1])}
    status, answered, _ = ask(service, place, method, **headers)
    assert status == 403
    assert not [name for name in answered if name.lower().startswith("access-control")]


def test_the_own_page_may_ask(service):
    port = service.address[1]
    headers = {"Authorization": f"Bearer {service.token}", "Origin": f"http://127.0.0.1:{port}"}
    assert ask(service, "/v1/jobs", **headers)[0] == 200


def test_a_page_elsewhere_may_not_even_with_the_token(service):
    headers = {"Authorization": f"Bearer {service.token}", "Sec-Fetch-Site": "cross-site"}
    assert ask(service, "/v1/jobs", **headers)[0] == 403


def test_a_preflight_is_not_answered(service):
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    assert ask(service, "/v1/jobs", "OPTIONS", **headers)[0] == 403


def test_doubled_headers_are_refused(service):
    host, port = service.address
    for name, values in (
        ("Host", (f"{host}:{port}", "evil.example")),
        ("Authorization", ("Bearer wrong", f"Bearer {service.token}")),
    ):
        lines = [f"{name}: {value}" for value in values]
        lines += [] if name == "Host" else [f"Host: {host}:{port}"]
        with socket.create_connection((host, port), 10) as connection:
            connection.sendall("\r\n".join(["GET /v1/jobs HTTP/1.1", *lines, "Connection: close", "", ""]).encode())
            answer = connection.makefile("rb").readline()
        assert answer.split()[1] in (b"400", b"403")


def test_every_answer_forbids_guessing_and_framing(service):
    for place in ("/", "/v1/health", "/v1/jobs", "/nowhere"):
        headers = {key.lower(): value for key, value in ask(service, place)[1].items()}
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_the_page_runs_only_its_own_script(service):
    policy = ask(service, "/")[1]["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_body_that_is_too_large_is_refused(service):
    headers = {"Authorization": f"Bearer {service.token}", "Content-Type": "application/json"}
    assert ask(service, "/v1/jobs", "POST", b" " * ((1 << 20) + 1), **headers)[0] == 413


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user")
def test_another_user_of_this_computer(service):
    """Token, database, uploads, results and records cannot be read, written, listed or replaced by others."""
    code = """
import os, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
root, opened = sys.argv[1], []
for name in ("token", "jobs.sqlite", "jobs.sqlite-wal", "service.log", "reserve", "lock"):
    for mode in ("rb", "r+b"):
        try: open(os.path.join(root, name), mode); opened.append(name)
        except PermissionError: pass
for name in ("", "uploads", "results", "records", "work", "incoming"):
    try: os.listdir(os.path.join(root, name)); opened.append(name + "/")
    except PermissionError: pass
    try: open(os.path.join(root, name, "planted"), "w"); opened.append(name + "/planted")
    except PermissionError: pass
try: os.rename(os.path.join(root, "token"), os.path.join(root, "old")); opened.append("renamed")
except PermissionError: pass
open(os.path.join(os.path.dirname(root), "output.txt")).close()  # this one is nobody's secret
print(opened)
"""
    done = subprocess.run([sys.executable, "-c", code, str(service.data)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_no_file_is_open_to_others(service):
    for path in [service.data, *service.data.rglob("*")]:
        assert not path.lstat().st_mode & 0o077, path


def test_no_token_in_the_log_nor_in_the_workers(service):
    ask(service, "/v1/jobs", Authorization=f"Bearer {service.token}")
    ask(service, f"/{service.token}")
    assert service.token not in (service.data / "service.log").read_text()
    for process in service.workers():
        for name in ("environ", "cmdline"):
            with open(f"/proc/{process}/{name}", "rb") as file:  # noqa: PTH123
                assert service.token.encode() not in file.read()


def test_a_token_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "token"
    load_token(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(load_token(path)) >= 43
    path.chmod(0o640)
    with pytest.raises(UsageError, match="Others may read"):
        load_token(path)


@pytest.mark.parametrize("content", ["", "short", " " * 50, "x" * 31, "with a space in the middle of the token"])
def test_a_token_that_is_none_is_refused(tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(UsageError):
        load_token(path)


def test_a_link_is_no_token(tmp_path):
    (tmp_path / "real").write_text("x" * 43)
    (tmp_path / "token").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="no plain file"):
        load_token(tmp_path / "token")


def test_other_computers_only_with_a_token_made_before(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MOUTHPIECE_HOME", str(tmp_path))
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 2
    assert "--new-token" in capsys.readouterr().err
    (tmp_path / "service").mkdir()
    (tmp_path / "service" / "token").write_text("")
    (tmp_path / "service" / "token").chmod(0o600)
    assert main(["serve", "--host", "0.0.0.0", "--port", "0"]) == 2


def test_loopback():
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.7", "example.org")))


def test_a_second_start_says_where_the_first_is(service):
    command = [sys.executable, "-m", "backend", "serve", "--port", "0"]
    environment = {**os.environ, "MOUTHPIECE_HOME": str(service.home)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert service.client.url in done.stderr
    assert str(service.process.pid) in done.stderr
