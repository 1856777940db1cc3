"""The face over real sockets, on gunicorn and on the development server: frames, silence, broken ends, leaving."""

from __future__ import annotations

import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from connector.web.dispatch import Faces
from connector.web.service import Limits
from connector.wire.frames import KEEP_ALIVE
from tests.web.face_fakes import PROVISION, fake_service, free_port, start, stop

HEADERS = {"Authorization": f"Bearer {PROVISION}", "Content-Type": "application/json"}
FRAME = b'{"data":{"key":{"simple":{"id":"u-0"}},"identity":"u-0","disabled":false,'


def body(command: str, asked: object = None) -> bytes:
    return json.dumps({"type": command, "input": asked or {}, "config": {"source": "default"}}).encode()


def listing(**state: object) -> bytes:
    return body("std:account:list", {"state": {name: str(value) for name, value in state.items()}})


def post(url: str, data: bytes, **how: Any) -> requests.Response:
    return requests.post(url, data=data, headers=HEADERS, timeout=20, **how)


def connect(url: str, data: bytes, version: str = "1.1", extra: str = "") -> socket.socket:
    """A connection with a request sent on it."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), 10)
    head = f"POST / HTTP/{version}\r\nHost: x\r\nContent-Length: {len(data)}\r\n{extra}"
    head += "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
    connection.sendall(head.encode() + b"\r\n" + data)
    return connection


def read_all(connection: socket.socket) -> bytes:
    chunks = []
    with connection:
        while chunk := connection.recv(65536):
            chunks.append(chunk)
    return b"".join(chunks)


def until(connection: socket.socket, end: bytes) -> bytes:
    chunks, tail = [], b""
    while not tail.endswith(end):
        chunks.append(connection.recv(1 << 20))
        tail = (tail + chunks[-1])[-len(end) :]
    return b"".join(chunks)


def eventually(true: Callable[[], bool], seconds: float = 5) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module")
def development() -> Iterator[str]:
    """Address of the fakes on werkzeug's development server."""
    app = Faces(fake_service(limits=Limits(keep_alive=0.5, attention=0.1)))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["gunicorn", "development"])
def any_url(request: pytest.FixtureRequest) -> str:
    return str(request.getfixturevalue("url" if request.param == "gunicorn" else "development"))


# ---- frames


def test_each_frame_leaves_at_once(any_url: str) -> None:
    with post(any_url, listing(accounts=3, pause=0.25), stream=True) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        arrivals = [time.monotonic() for line in answer.iter_lines(chunk_size=None) if line]
    assert len(arrivals) == 3
    assert arrivals[-1] - arrivals[0] > 0.3  # the first was here long before the last was made


def test_silence_is_filled_with_keep_alive_frames(any_url: str) -> None:
    answer = post(any_url, listing(accounts=1, silence=1.3))
    lines = answer.content.splitlines(keepends=True)
    assert lines[0].startswith(FRAME)
    assert set(lines[1:]) == {KEEP_ALIVE}
    assert len(lines) in (2, 3)  # two, unless the machine is busy


def test_the_first_keep_alive_commits_the_status(any_url: str) -> None:
    with post(any_url, listing(silence=0.8, fail="AWS failed."), stream=True) as answer:
        assert answer.status_code == 200
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            _ = answer.content


def test_an_error_before_any_frame_is_a_500(any_url: str) -> None:
    answer = post(any_url, listing(fail="AWS failed."))
    assert (answer.status_code, answer.text) == (500, "generic error: \n + ConnectorError: AWS failed.")


def test_five_thousand_accounts_a_second_are_easy(url: str) -> None:
    post(url, listing(accounts=10))
    started = time.monotonic()
    answer = post(url, listing(accounts=20_000))
    assert len(answer.content.splitlines()) == 20_000
    assert time.monotonic() - started < 4


def test_connections_are_kept(url: str) -> None:
    with connect(url, listing(accounts=1)) as connection:
        assert until(connection, b"0\r\n\r\n").startswith(b"HTTP/1.1 200")
        connection.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")


# ---- a broken end is seen by every client


BROKEN = listing(accounts=2, fail="AWS failed.")
DEFECT = listing(accounts=2, defect="inside")


@pytest.mark.parametrize("data", [BROKEN, DEFECT])
def test_requests_sees_a_broken_end(any_url: str, data: bytes) -> None:
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        post(any_url, data)


@pytest.mark.parametrize("connection", ["close", "keep-alive"])
def test_pythons_own_client_sees_a_broken_end(any_url: str, connection: str) -> None:
    with python_asks(any_url, connection) as answer, pytest.raises(http.client.IncompleteRead):
        answer.read()
    # Line by line it never notices that the end is missing; but the last line is no frame.
    with python_asks(any_url, connection) as answer, pytest.raises(json.JSONDecodeError):
        _ = [json.loads(line) for line in answer]


@contextmanager
def python_asks(url: str, connection: str) -> Iterator[http.client.HTTPResponse]:
    client = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    client.request("POST", "/", BROKEN, HEADERS | {"Connection": connection})
    with client.getresponse() as answer:
        yield answer
    client.close()


def test_the_reason_stands_before_the_broken_end(any_url: str) -> None:
    raw = read_all(connect(any_url, BROKEN))
    assert raw.startswith(b"HTTP/1.1 200")
    assert b"generic error: \n + ConnectorError: AWS failed.\r\n" in raw
    assert raw.endswith(b"\r\nbroken off\r\n")
    assert raw.count(b'"type":"output"}\n') == 2


def test_a_whole_answer_has_its_end(any_url: str) -> None:
    assert read_all(connect(any_url, listing(accounts=2), extra="Connection: close\r\n")).endswith(b"0\r\n\r\n")


def test_curl_sees_a_broken_end(any_url: str) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    command = [curl, "-sS", "--fail", any_url, "-d", "@-"]
    for name, value in HEADERS.items():
        command += ["-H", f"{name}: {value}"]
    assert subprocess.run(command, input=listing(accounts=2), check=False, capture_output=True).returncode == 0
    assert subprocess.run(command, input=BROKEN, check=False, capture_output=True).returncode == 18
    assert subprocess.run(command, input=listing(fail="x"), check=False, capture_output=True).returncode == 22


def test_node_sees_a_broken_end(any_url: str) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed")
    script = """
        const [url, headers, ...bodies] = process.argv.slice(1)
        const take = async (body) => {
            const answer = await fetch(url, { method: 'POST', headers: JSON.parse(headers), body })
            try { return [answer.status, (await answer.text()).split('\\n').length] } catch (error) { return 'broken' }
        }
        // Another way to ask, whose answers say that the connection is closed after them.
        const once = (body) => new Promise((tell) => {
            const headed = { ...JSON.parse(headers), Connection: 'close' }
            const asked = require('http').request(url, { method: 'POST', headers: headed, agent: false }, (answer) => {
                let lines = 1
                answer.on('data', (data) => { lines += data.toString().split('\\n').length - 1 })
                answer.on('error', () => tell('broken'))
                answer.on('end', () => tell([answer.statusCode, lines]))
            })
            asked.on('error', () => tell('broken'))
            asked.end(body)
        })
        Promise.all([...bodies.map(take), ...bodies.map(once)]).then((answers) => console.log(JSON.stringify(answers)))
    """
    bodies = [each.decode() for each in (listing(accounts=2), BROKEN, listing(fail="x"))]
    seen = subprocess.run([node, "-e", script, any_url, json.dumps(HEADERS), *bodies], check=True, capture_output=True)
    assert json.loads(seen.stdout) == [[200, 3], "broken", [500, 2]] * 2


def test_broken_answers_leave_no_traceback_in_the_log(url: str, server_log: Path) -> None:
    read_all(connect(url, BROKEN))
    time.sleep(0.1)
    assert "Error handling request" not in server_log.read_text()
    assert all(json.loads(line) for line in server_log.read_text().splitlines())


# ---- clients of their own kind


def test_lists_are_refused_to_http_1_0(any_url: str) -> None:
    raw = read_all(connect(any_url, listing(accounts=1), version="1.0"))
    assert b" 505 " in raw.split(b"\r\n")[0]
    assert b"proxy_http_version 1.1" in raw


@pytest.mark.parametrize(("identity", "status"), [("u-1", b" 200 "), ("missing", b" 500 "), ("slow-1.2", b" 200 ")])
def test_single_answers_over_http_1_0_come_whole(url: str, identity: str, status: bytes) -> None:
    raw = read_all(connect(url, body("std:account:read", {"identity": identity}), version="1.0"))
    head, _, content = raw.partition(b"\r\n\r\n")
    assert status in head.split(b"\r\n")[0]
    assert f"Content-Length: {len(content)}".encode() in head
    assert KEEP_ALIVE not in content


def test_a_body_over_the_limit_is_refused_before_it_is_read(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 3000000\r\n\r\n"
        connection.sendall(head.encode() + b"{")
        assert b" 413 " in connection.recv(65536)


def test_a_chunked_body_over_the_limit_is_refused(url: str) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b" " * 65536

    assert requests.post(url, data=chunks(), headers=HEADERS, timeout=10).status_code == 413


def test_a_chunked_body_is_taken(url: str) -> None:
    answer = requests.post(url, data=iter([listing(accounts=1)]), headers=HEADERS, timeout=10)
    assert answer.content.startswith(FRAME)


def test_a_slow_reader_holds_the_command_back(url: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    with connect(url, listing(accounts=2000, size=50_000, mark=mark)) as connection:
        time.sleep(1)
        assert not mark.exists()  # 100 MB are not waiting in memory
        assert len(until(connection, b"0\r\n\r\n")) > 100_000_000
    assert eventually(lambda: mark.exists() and mark.read_text() == "2000 False")


def test_clients_that_stop_reading_are_given_up(url: str, tmp_path: Path) -> None:
    marks = [tmp_path / str(number) for number in range(40)]
    stalled = [connect(url, listing(accounts=200, size=50_000, mark=mark)) for mark in marks]
    assert eventually(lambda: all(mark.exists() for mark in marks), 15)
    assert eventually(lambda: post(url, listing(accounts=1)).status_code == 200)
    for connection in stalled:
        connection.close()


# ---- clients that leave


@pytest.mark.parametrize("state", [{"accounts": 1, "silence": 30}, {"silence": 30}, {"accounts": 100, "pause": 0.3}])
def test_a_list_stops_when_its_client_leaves(any_url: str, tmp_path: Path, state: dict[str, Any]) -> None:
    mark = tmp_path / "mark"
    connection = connect(any_url, listing(mark=mark, **state))
    time.sleep(0.4)
    connection.close()
    assert eventually(mark.exists, 3)


def test_a_list_that_nobody_reads_stops_when_its_client_leaves(url: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    connection = connect(url, listing(accounts=2000, size=50_000, mark=mark))
    time.sleep(0.5)
    connection.close()
    assert eventually(mark.exists, 3)


def test_a_change_runs_to_its_end_without_its_client(any_url: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    changes = [
        {"op": "Set", "attribute": "pause", "value": "1.2"},
        {"op": "Set", "attribute": "mark", "value": str(mark)},
    ]
    connect(any_url, body("std:account:update", {"identity": "u", "changes": changes})).close()
    time.sleep(0.3)
    assert not mark.exists()
    assert eventually(mark.exists, 3)


def test_a_stop_waits_for_a_change_and_for_an_answer(tmp_path: Path) -> None:
    server, address = start(0.5, tmp_path / "log")
    mark = tmp_path / "mark"
    changes = [
        {"op": "Set", "attribute": "pause", "value": "1"},
        {"op": "Set", "attribute": "mark", "value": str(mark)},
    ]
    left = connect(address, body("std:account:update", {"identity": "u", "changes": changes}))
    stays = connect(address, listing(accounts=4, pause=0.25))
    time.sleep(0.3)
    left.close()
    server.send_signal(signal.SIGTERM)
    assert read_all(stays).endswith(b"0\r\n\r\n")
    assert server.wait(10) == 0
    assert mark.read_text() == "done"


def test_a_stop_that_cannot_wait_breaks_the_answer(tmp_path: Path) -> None:
    server, address = start(0.5, tmp_path / "log")
    stays = connect(address, listing(accounts=1000, pause=0.25))
    time.sleep(0.3)
    server.send_signal(signal.SIGTERM)
    raw = read_all(stays)
    stop(server)
    assert b'"type":"output"' in raw
    assert not raw.endswith(b"0\r\n\r\n")


def test_health_is_answered_while_commands_run(url: str) -> None:
    connections = [connect(url, listing(accounts=1, silence=2)) for _ in range(40)]
    time.sleep(0.5)
    assert requests.get(f"{url}/livez", timeout=2).status_code == 200
    assert post(url, listing(accounts=1)).status_code == 429
    for connection in connections:
        connection.close()
    assert eventually(lambda: post(url, listing(accounts=1)).status_code == 200)


def test_the_server_speaks_tls(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")
    cert, key, port = tmp_path / "cert.pem", tmp_path / "key.pem", free_port()
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    request += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([openssl, *request], check=True, capture_output=True)
    script = Path(__file__).parent / "face_fakes.py"
    server = subprocess.Popen([sys.executable, str(script), str(port), "0.5", str(cert), str(key)])
    try:
        url = f"https://127.0.0.1:{port}"
        assert eventually(lambda: answers(url, cert), 10)
        assert len(post(url, listing(accounts=3), verify=str(cert)).content.splitlines()) == 3
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            post(url, BROKEN, verify=str(cert))
        mark = tmp_path / "mark"
        context = ssl.create_default_context(cafile=str(cert))
        with context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1") as leaves:
            data = listing(accounts=1, silence=30, mark=mark)
            head = "".join(f"{name}: {value}\r\n" for name, value in HEADERS.items())
            leaves.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {len(data)}\r\n{head}\r\n".encode() + data)
            assert leaves.recv(100)
        assert eventually(mark.exists, 3)
    finally:
        stop(server)


def answers(url: str, cert: Path) -> bool:
    try:
        return requests.get(f"{url}/livez", verify=str(cert), timeout=2).ok
    except requests.exceptions.ConnectionError:
        return False
