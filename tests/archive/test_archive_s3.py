# SPDX-License-Identifier: GPL-3.0-or-later
"""An archive in buckets of a server on loopback: the rows of a folder, and what is said where access fails."""

import logging
import os
import threading
from http import HTTPStatus

import pytest

moto_app = pytest.importorskip("moto.moto_server.werkzeug_app")
serving = pytest.importorskip("werkzeug.serving")
botocore_session = pytest.importorskip("botocore.session")
pytest.importorskip("s3fs")
pytest.importorskip("pyarrow")

from archive_tools import record, tables
from fsspec.core import url_to_fs

from rpmsn.archive import sources
from rpmsn.archive.store import Store
from rpmsn.cli.main import main

HOW = ["--actors", "0", "--frame-seconds", "0.2", "--runtime", "onnxruntime", "--no-cells", "--quiet"]


class Moods:
    """Moto's server, which refuses requests while a test wants it to.

    Attributes:
        refusal: (method, path of a request) -> (status, code of S3's) to refuse it with; None: it is answered.
    """

    def __init__(self):
        self._app = moto_app.DomainDispatcherApplication(moto_app.create_backend_app)
        self.refusal = lambda method, path: None

    def __call__(self, environ, start_response):
        refused = self.refusal(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if refused is None:
            return self._app(environ, start_response)
        status, code = refused
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(f"{status} {HTTPStatus(status).phrase}", [("Content-Type", "application/xml")])
        return [f"<Error><Code>{code}</Code><Message>for a test</Message></Error>".encode()]


@pytest.fixture(scope="module")
def moods():
    return Moods()


@pytest.fixture(scope="module")
def server(moods):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = serving.make_server("127.0.0.1", 0, moods, True, request_handler=moto_app.MotoRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


KEYS = {
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@pytest.fixture(scope="module")
def client(server):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KEYS.items():
            patch.setenv(name, value)
        yield botocore_session.get_session().create_client("s3", endpoint_url=server)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("s3") / "campaign"
    record(folder / "a", "long", 1.3)
    record(folder, "short", 0.3, seed=2)
    return folder


@pytest.fixture
def s3(server, moods, client, folder, monkeypatch):
    """A client with the same keys as s3fs has, and two new buckets, `campaign` with two recordings and `found`."""
    for name, value in {**KEYS, "AWS_ENDPOINT_URL": server}.items():
        monkeypatch.setenv(name, value)
    url_to_fs("s3://campaign", use_listings_cache=False)[0].clear_instance_cache()
    for bucket in ("campaign", "found"):
        client.create_bucket(Bucket=bucket)
    for path in sorted(folder.rglob("*.sigmf-*")):
        client.put_object(Bucket="campaign", Key=str(path.relative_to(folder)), Body=path.read_bytes())
    yield client
    moods.refusal = lambda method, path: None
    for bucket in client.list_buckets()["Buckets"]:
        remove_bucket(client, bucket["Name"])


def remove_bucket(client, bucket):
    for key in names(client, bucket):
        client.delete_object(Bucket=bucket, Key=key)
    client.delete_bucket(Bucket=bucket)


def run(source="s3://campaign", dest="s3://found/2026", *how):
    return main(["archive", "run", source, "--output", dest, *HOW, *how])


def names(s3, bucket):
    return {entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket).get("Contents", [])}


def without_places(rows):
    """Rows, sorted, without what says where a recording is."""
    places = ("key", "recording", "picture")
    return sorted(repr({name: value for name, value in row.items() if name not in places}) for row in rows)


def test_buckets_give_the_rows_of_folders_by_ranges_of_their_files(s3, folder, tmp_path, monkeypatch, capsys):
    asked = []
    read = Store.read
    monkeypatch.setattr(sources, "READ_AHEAD", 1 << 18)
    monkeypatch.setattr(Store, "read", lambda store, *where: asked.append(where) or read(store, *where))
    assert run("s3://campaign", "s3://found/2026", "--piece-seconds", "1") == 0
    assert "2 analysed" in capsys.readouterr().out
    parts = [where for where in asked if where[0].endswith("long.sigmf-data")]
    assert len(parts) > 3 and all(len(where) == 3 for where in parts)
    for key in names(s3, "found"):
        path = tmp_path / "fetched" / key.removeprefix("2026/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(s3.get_object(Bucket="found", Key=key)["Body"].read())
    assert run(str(folder), str(tmp_path / "local")) == 0
    there, here = tables(tmp_path / "fetched"), tables(tmp_path / "local")
    assert there.keys() == here.keys()
    for table in ("carriers", "occupancy", "quality", "recordings"):
        assert without_places(there[table]) == without_places(here[table])
    capsys.readouterr()
    assert main(["archive", "query", "s3://found/2026", "recordings", "--format", "csv"]) == 0
    answer = capsys.readouterr().out
    assert "s3://campaign/a/long.sigmf-meta" in answer
    assert main(["archive", "compact", "s3://found/2026"]) == 0
    assert len([name for name in names(s3, "found") if "/recordings/" in name]) == 1
    capsys.readouterr()
    assert main(["archive", "query", "s3://found/2026", "recordings", "--format", "csv"]) == 0
    assert capsys.readouterr().out == answer
    assert run() == 0
    assert "0 analysed, 2 kept" in capsys.readouterr().out


def test_a_bucket_that_vanishes_stops_the_run_and_what_is_done_stays(s3, monkeypatch, capsys):
    write = Store.write

    def vanish_at_first_row(store, name, content):
        if name.startswith("recordings") and "short" not in name:
            remove_bucket(s3, "found")
        write(store, name, content)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "write", vanish_at_first_row)
        assert run() == 1
    told = capsys.readouterr().err
    assert "not there, or not any more" in told and "run it again" in told and "goes on from here" in told
    s3.create_bucket(Bucket="found")
    assert run() == 0


def test_a_source_that_vanishes_is_a_failure_of_its_recordings(s3, monkeypatch, capsys):
    fetch = Store.fetch

    def vanish(store, name, to):
        for key in names(s3, "campaign"):
            s3.delete_object(Bucket="campaign", Key=key)
        fetch(store, name, to)

    monkeypatch.setattr(Store, "fetch", vanish)
    assert run() == 1
    told = capsys.readouterr()
    assert "2 failed" in told.out and told.err.count("not there, or not any more") == 2
    assert {name.partition("/")[0] for name in names(s3, "found")} and any(
        "failures" in key for key in names(s3, "found")
    )


def test_a_bucket_of_recordings_that_vanishes_stops_the_run_and_what_is_done_stays(s3, folder, monkeypatch, capsys):
    read = Store.read

    def vanish_at_second(store, name, *where):
        if name.endswith("short.sigmf-data"):
            remove_bucket(s3, "campaign")
        return read(store, name, *where)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "read", vanish_at_second)
        assert run() == 1
    told = capsys.readouterr()
    assert "SOURCE, s3://campaign, is lost" in told.err and "run it again" in told.err
    assert "1 analysed, 0 kept, 0 failed, 1 not analysed; the same command goes on from here" in told.err
    assert len([name for name in names(s3, "found") if "/recordings/" in name]) == 1
    s3.create_bucket(Bucket="campaign")
    for name in ("short.sigmf-meta", "short.sigmf-data"):
        s3.put_object(Bucket="campaign", Key=name, Body=(folder / name).read_bytes())
    assert run() == 0
    assert "1 analysed, 0 kept" in capsys.readouterr().out


def test_a_server_that_is_busy_now_and_then_is_asked_again(s3, moods, capsys):
    asked = []

    def now_and_then(method, path):
        asked.append(path)
        return (503, "SlowDown") if len(asked) % 3 == 0 else None

    moods.refusal = now_and_then
    assert run() == 0
    assert "2 analysed, 0 kept, 0 failed" in capsys.readouterr().out
    assert len(asked) > 20


def test_a_server_that_stays_busy_stops_the_run_and_what_is_done_stays(s3, moods, monkeypatch, capsys):
    monkeypatch.setattr("s3fs.core.S3FileSystem.retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    done = []

    def from_the_second_on(method, path):
        if method == "PUT" and "/recordings/" in path:
            done.append(path)
        return (503, "SlowDown") if len(done) > 1 else None

    moods.refusal = from_the_second_on
    assert run() == 1
    told = capsys.readouterr().err
    assert "cannot be reached" in told and "run it again" in told and "1 analysed" in told
    moods.refusal = lambda method, path: None
    assert run() == 0
    assert "1 analysed, 1 kept" in capsys.readouterr().out


@pytest.mark.parametrize("bucket", ["found", "campaign"])
def test_keys_that_expire_stop_the_run_and_what_is_done_stays(s3, moods, bucket, capsys):
    done = []

    def expired(method, path):
        if method == "PUT" and "/recordings/" in path:
            done.append(path)
        is_late = len(done) > (bucket == "found")
        return (400, "ExpiredToken") if is_late and path.startswith(f"/{bucket}") else None

    moods.refusal = expired
    assert run() == 1
    told = capsys.readouterr().err
    assert "access is refused" in told and "keys may be wrong or have expired" in told and "Traceback" not in told
    assert "1 analysed, 0 kept, 0 failed, 1 not analysed; the same command goes on from here" in told
    moods.refusal = lambda method, path: None
    assert run() == 0
    assert "1 analysed, 1 kept" in capsys.readouterr().out


def test_a_key_that_is_refused_is_named_with_what_to_check(s3, server, monkeypatch, capsys):
    import requests

    requests.post(f"{server}/moto-api/reset-auth", data="0", timeout=10)  # from now on keys are checked
    try:
        assert run() == 1
    finally:
        requests.post(f"{server}/moto-api/reset-auth", data="inf", timeout=10)
    told = capsys.readouterr().err
    assert "access is refused" in told and "AWS_ACCESS_KEY_ID" in told and "Traceback" not in told


def test_nothing_of_this_name_is_said(s3, capsys):
    assert run("s3://nowhere") == 2
    assert "s3://nowhere" in capsys.readouterr().err
