"""Files of a publisher, over a real server that breaks off, lies and refuses."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from edge.errors import ModelError
from edge.models.fetching import carry_in, fetch
from edge.models.sources import fetched_file, is_fetched, read_source
from edge.models.spec import FetchedSource, ModelSpec, PackagedSource, SourceFile
from edge.models.store import ModelStatus, ModelStore

DATA = {name: bytes(range(256)) * size for name, size in (("a.xml", 40), ("b.bin", 90))}


class Publisher(ThreadingHTTPServer):
    """Serves DATA. breaks_after: bytes of a reply, until the line breaks."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Shelf)
        self.data = dict(DATA)
        self.breaks_after = None
        self.takes_ranges = True
        self.requests = []

    def url(self, name):
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Shelf(BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        span = self.headers.get("Range")
        server.requests.append((self.path, span))
        data = server.data.get(self.path.rpartition("/")[2])
        if data is None:
            self.send_error(404)
            return
        start = 0
        if span and server.takes_ranges:
            start = int(span.removeprefix("bytes=").rstrip("-"))
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(data)}/{len(data)}")
        else:
            self.send_response(200)
        rest = data[start:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if server.breaks_after is not None:
            rest, server.breaks_after = rest[: server.breaks_after], None
        self.wfile.write(rest)

    def log_message(self, *_):
        pass


@pytest.fixture
def publisher():
    with Publisher() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def spec(publisher):
    files = tuple(
        SourceFile(
            name, hashlib.sha256(data).hexdigest(), len(data), publisher.url(name)
        )
        for name, data in DATA.items()
    )
    return ModelSpec(
        "sample", "test", FetchedSource("us", files), "MIT", "", lambda *b: b"|".join(b)
    )


def silent(_name, _done, _total):
    pass


def test_a_model_is_fetched_and_built_of_all_its_files(tmp_path, spec):
    store, told = ModelStore(tmp_path, [spec]), []
    assert store.verify("sample") is ModelStatus.NOT_FETCHED
    with pytest.raises(ModelError, match="run: edge models fetch sample"):
        store.path("sample")
    fetch(spec, store.sources, lambda *step: told.append(step))
    assert store.verify("sample") is ModelStatus.ABSENT
    assert store.path("sample").read_bytes() == b"|".join(DATA.values())
    assert told[-1] == ("b.bin", len(DATA["b.bin"]), len(DATA["b.bin"]))


def test_what_is_there_is_not_asked_for_again(tmp_path, spec, publisher):
    fetch(spec, tmp_path, silent)
    fetch(spec, tmp_path, silent)
    assert len(publisher.requests) == 2


@pytest.mark.parametrize("takes_ranges", [True, False])
def test_a_broken_download_is_gone_on_with(tmp_path, spec, publisher, takes_ranges):
    publisher.breaks_after, publisher.takes_ranges = 5000, takes_ranges
    fetch(spec, tmp_path, silent)
    assert read_source(spec, tmp_path) == list(DATA.values())
    assert publisher.requests[1] == ("/a.xml", "bytes=5000-")


def test_a_server_that_never_ends_a_file_is_told_and_what_came_is_kept(
    tmp_path, spec, publisher
):
    publisher.data["a.xml"] = DATA["a.xml"][:-10]
    with pytest.raises(ModelError, match="--from DIR"):
        fetch(spec, tmp_path, silent)
    publisher.data["a.xml"] = DATA["a.xml"]
    fetch(spec, tmp_path, silent)
    assert publisher.requests[-2] == ("/a.xml", f"bytes={len(DATA['a.xml']) - 10}-")


def test_other_bytes_are_refused_and_leave_nothing(tmp_path, spec, publisher):
    publisher.data["a.xml"] = DATA["a.xml"][::-1]
    with pytest.raises(ModelError, match=r"a\.xml is not the pinned file"):
        fetch(spec, tmp_path, silent)
    assert not is_fetched(spec, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_file_without_an_end_is_cut_off(tmp_path, spec, publisher):
    publisher.data["a.xml"] = DATA["a.xml"] * 50
    with pytest.raises(ModelError, match="longer than the pinned"):
        fetch(spec, tmp_path, silent)
    publisher.data["a.xml"] = DATA["a.xml"]
    fetch(spec, tmp_path, silent)
    assert is_fetched(spec, tmp_path)


def test_a_file_that_is_gone_is_told(tmp_path, spec, publisher):
    del publisher.data["b.bin"]
    with pytest.raises(ModelError, match=r"b\.bin: the server says 404"):
        fetch(spec, tmp_path, silent)


def test_a_publisher_out_of_reach_is_told(tmp_path, spec, publisher):
    publisher.shutdown()
    publisher.server_close()
    with pytest.raises(ModelError, match="carry the file in"):
        fetch(spec, tmp_path, silent)


def test_the_proxy_of_the_environment_is_used(tmp_path, spec, publisher, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", publisher.url(""))
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    files = tuple(
        SourceFile(f.name, f.sha256, f.size_bytes, f"http://publisher.example/{f.name}")
        for f in spec.source.files
    )
    far = ModelSpec(
        "sample", "", FetchedSource("us", files), "", "", lambda *b: b"".join(b)
    )
    fetch(far, tmp_path, silent)
    assert publisher.requests[0][0] == "http://publisher.example/a.xml"


def test_files_are_carried_in_by_name(tmp_path, spec):
    carried = tmp_path / "stick"
    carried.mkdir()
    for name, data in DATA.items():
        (carried / name).write_bytes(data)
    carry_in(spec, carried, tmp_path / "sources", silent)
    assert read_source(spec, tmp_path / "sources") == list(DATA.values())


@pytest.mark.parametrize("given", [None, b"", b"other", DATA["b.bin"] + b"more"])
def test_a_file_that_is_not_the_pinned_one_is_not_carried_in(tmp_path, spec, given):
    (tmp_path / "a.xml").write_bytes(DATA["a.xml"])
    if given is not None:
        (tmp_path / "b.bin").write_bytes(given)
    complaint = "not there" if given is None else "not the pinned file"
    with pytest.raises(ModelError, match=complaint):
        carry_in(spec, tmp_path, tmp_path / "sources", silent)
    assert not is_fetched(spec, tmp_path / "sources")


def test_a_fetched_file_that_was_changed_is_refused(tmp_path, spec):
    store = ModelStore(tmp_path, [spec])
    fetch(spec, store.sources, silent)
    first = spec.source.files[0]
    fetched_file(store.sources, first.name, first.sha256).write_bytes(b"changed")
    with pytest.raises(ModelError, match="not the pinned file"):
        store.path("sample")


def test_what_comes_with_a_package_is_not_fetched(tmp_path, spec):
    packaged = ModelSpec("p", "", PackagedSource("click", "a", "b"), "", "", spec.build)
    with pytest.raises(ModelError, match="nothing to fetch"):
        fetch(packaged, tmp_path, silent)
