# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages over the network: every loss seen, the sender never held up, nothing readable without a key."""

import gc
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from limits import HANG_S, PROCESS_S

zmq = pytest.importorskip("zmq", reason="pyzmq is not installed")

from rpmsn import installation
from rpmsn.errors import MissingLibraryError, ParameterError, RpmsnError
from rpmsn.messages import wire as messages
from rpmsn.publishing import keys
from rpmsn.publishing import publisher as publisher_module
from rpmsn.publishing.addresses import check_address, is_local
from rpmsn.publishing.publisher import MAX_WAITING, Publisher
from rpmsn.publishing.subscriber import Subscriber

ROOT = Path(__file__).resolve().parents[2]
ANY_PORT = "tcp://127.0.0.1:0"
LONG = HANG_S
"""Seconds after which something that should happen did not; a test that passes does not wait for it."""

needs_curve = pytest.mark.skipif(not zmq.has("curve"), reason="this ZeroMQ was built without CURVE")


def as_it_is(_, item):
    """The encoder of publishers whose items are dicts already."""
    return item


@pytest.fixture
def publish():
    """Make publishers and start them; they are stopped at the end."""
    made = []

    def make(encode=as_it_is, address=ANY_PORT, **arguments):
        made.append(Publisher(encode, address, **arguments))
        made[-1].start()
        return made[-1]

    yield make
    for publisher in made:
        publisher.stop()


@pytest.fixture
def subscribe():
    """Make subscribers of a publisher, by default once they get what it sends; they are closed at the end."""
    made = []

    def make(publisher, wait=True, **arguments):
        subscriber = Subscriber(publisher.address.replace("0.0.0.0", "127.0.0.1"), **arguments)
        made.append(subscriber)
        if wait:
            assert hears(publisher, subscriber), subscriber.problem
        return subscriber

    yield make
    for subscriber in made:
        subscriber.close()


def hears(publisher, subscriber, seconds=LONG):
    """Whether a subscriber gets what a publisher puts on `status`; what it got is read to the end."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        publisher.put("status", {})
        if subscriber.receive(timeout=0.05):
            while subscriber.receive(timeout=0.1):
                pass
            return True
    return False


def seconds_to(call):
    started = time.monotonic()
    call()
    return time.monotonic() - started


def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class TestMessages:
    def test_a_message_comes_back_as_it_was_packed(self):
        body = {"label": "LTE", "freq_lower": 2.4e9 + 2**-20, "start_offset": 2**64 - 1, "snr_db": None}
        message = messages.unpack(messages.pack("segment", 3, "abc", body))
        assert message == {"version": messages.VERSION, "publisher": "abc", "topic": "segment", "sequence": 3, **body}

    def test_the_keys_of_every_message_cannot_be_overwritten(self):
        assert messages.unpack(messages.pack("status", 5, "abc", {"sequence": -1, "topic": "x"}))["sequence"] == 5

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x"])
    def test_what_is_not_json_is_refused(self, value):
        with pytest.raises((ValueError, TypeError)):
            messages.pack("status", 0, "abc", {"value": value})

    @pytest.mark.parametrize(
        "parts",
        [
            [],
            [b"segment"],
            [b"segment", b"{"],
            [b"segment", b"[]"],
            [b"segment", b"{}"],
            [b"segment", b"\xff\xfe"],
            [b"status", messages.pack("segment", 0, "a", {})[1]],
            [b"segment", b"[" * 100_000],
            [b"segment", b'{"version":2,"topic":"segment","publisher":"a","sequence":"0"}'],
            [b"segment", b'{"version":2,"topic":["segment"],"publisher":"a","sequence":0}'],
            [*messages.pack("segment", 0, "a", {}), b"more"],
        ],
    )
    def test_what_is_no_message_is_refused(self, parts):
        with pytest.raises(ValueError) as caught:
            messages.unpack(parts)
        assert not isinstance(caught.value, messages.VersionError)

    def test_another_version_is_named(self):
        with pytest.raises(messages.VersionError, match="version 1; version 2 can be read"):
            messages.unpack([b"segment", b'{"version":1}'])

    def test_pictures_come_back_as_they_were(self):
        image = np.arange(512, dtype=np.uint8).reshape(2, 256)
        message = {
            "rows": 2,
            "columns": 256,
            "image": messages.encode_pixels(image),
            "mask": messages.encode_pixels(image % 4),
        }
        for got, wanted in zip(messages.decode_image(message), (image, image % 4)):
            np.testing.assert_array_equal(got, wanted)

    @pytest.mark.parametrize("change", [{"rows": 3}, {"image": "!"}, {"mask": 5}, {"columns": None}, {"rows": -1}])
    def test_pictures_that_do_not_fit_are_refused(self, change):
        pixels = messages.encode_pixels(np.zeros((2, 8), np.uint8))
        with pytest.raises(ValueError, match="picture"):
            messages.decode_image({"rows": 2, "columns": 8, "image": pixels, "mask": pixels, **change})


class TestAddresses:
    @pytest.mark.parametrize(
        "address, local",
        [
            ("tcp://127.0.0.1:5560", True),
            ("tcp://127.9.9.9:1", True),
            ("tcp://[::1]:5560", True),
            ("ipc:///a/b", True),
            ("tcp://*:5560", False),
            ("tcp://0.0.0.0:5560", False),
            ("tcp://[::]:5560", False),
            ("tcp://eth0:5560", False),
            ("tcp://192.168.1.4:5560", False),
            ("tcp://example.org:5560", False),
            ("tcp://127.example.org:1", False),
        ],
    )
    def test_what_only_this_computer_can_reach(self, address, local):
        assert is_local(check_address(address, to_bind=True)) == local

    def test_localhost_and_port_0_are_written_as_zeromq_wants_them(self):
        assert check_address("tcp://localhost:0", to_bind=True) == "tcp://127.0.0.1:*"

    @pytest.mark.parametrize(
        "address",
        [
            "",
            "5560",
            "127.0.0.1:5560",
            "udp://127.0.0.1:5560",
            "tcp://127.0.0.1",
            "ipc://",
            "tcp://127.0.0.1:99999",
            "tcp://127.0.0.1:x",
            "tcp://a b:5",
            "tcp://:5560",
            "tcp://127.0.0.1:5560/x",
            "inproc://a",
            None,
        ],
    )
    @pytest.mark.parametrize("to_bind", [True, False])
    def test_what_is_no_address_is_named(self, address, to_bind):
        with pytest.raises(ParameterError, match=re.escape(repr(str(address)))):
            check_address(address, to_bind)

    @pytest.mark.parametrize("address", ["tcp://*:5560", "tcp://127.0.0.1:0", "tcp://127.0.0.1:*"])
    def test_a_subscriber_needs_one_computer_and_one_port(self, address):
        with pytest.raises(ParameterError, match="has to lie|needs one computer"):
            Subscriber(address)

    @pytest.mark.parametrize("address", ["tcp://*:0", "tcp://0.0.0.0:0", "tcp://192.0.2.1:5560", "tcp://[::]:0"])
    def test_beyond_this_computer_keys_are_asked_for(self, address):
        with pytest.raises(ParameterError, match="rpmsn.publishing.keys FOLDER.*allow_plain"):
            Publisher(as_it_is, address)

    def test_plain_beyond_this_computer_can_be_allowed(self, publish, subscribe):
        subscribe(publish(address="tcp://0.0.0.0:0", allow_plain=True))

    def test_an_address_of_another_computer_is_named(self):
        with pytest.raises(ParameterError, match="no such address.*ip address"):
            Publisher(as_it_is, "tcp://192.0.2.1:5560", allow_plain=True)

    def test_an_address_in_use_is_named_with_the_command_that_shows_by_whom(self, publish):
        taken = publish().address
        with pytest.raises(ParameterError, match=f"another program.*ss -ltnp sport = :{taken.rpartition(':')[2]}"):
            Publisher(as_it_is, taken)

    def test_a_path_in_use_is_not_taken_away(self, publish, subscribe, tmp_path):
        address = f"ipc://{tmp_path}/socket"
        subscribe(publish(address=address))
        with pytest.raises(ParameterError, match="another program or publisher uses it"):
            Publisher(as_it_is, address)

    def test_a_path_left_over_by_a_program_that_was_killed_is_used_again(self, publish, tmp_path):
        code = f"import zmq, os; zmq.Context().socket(zmq.PUB).bind('ipc://{tmp_path}/socket'); os._exit(0)"
        subprocess.run([sys.executable, "-c", code], check=True, timeout=PROCESS_S)
        assert (tmp_path / "socket").exists()
        publish(address=f"ipc://{tmp_path}/socket")

    def test_a_file_is_not_replaced_by_a_socket(self, tmp_path):
        (tmp_path / "thesis").write_text("years of work")
        with pytest.raises(ParameterError, match="is no socket"):
            Publisher(as_it_is, f"ipc://{tmp_path}/thesis")
        assert (tmp_path / "thesis").read_text() == "years of work"

    @pytest.mark.parametrize("path, words", [("no/such/folder", "does not exist"), ("x" * 200, "too long")])
    def test_a_path_that_cannot_be_is_named(self, path, words, tmp_path):
        with pytest.raises(ParameterError, match=words):
            Publisher(as_it_is, f"ipc://{tmp_path}/{path}")

    def test_a_missing_pyzmq_is_named_with_the_command_that_installs_it(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "zmq", None)
        for make in (lambda: Publisher(as_it_is, ANY_PORT), Subscriber):
            with pytest.raises(MissingLibraryError, match=re.escape(installation.how_to_add("zmq"))):
                make()


class TestStop:
    def test_it_does_not_wait_forever_and_says_what_for(self, monkeypatch):
        monkeypatch.setattr(publisher_module, "STOP_SECONDS", 0.2)
        complaints, is_encoding, goes_on = [], threading.Event(), threading.Event()

        def encode(topic, item):
            is_encoding.set()
            goes_on.wait(3 * HANG_S)
            return item

        publisher = Publisher(encode, ANY_PORT, complain=complaints.append)
        publisher.start()
        publisher.put("status", {})
        assert is_encoding.wait(LONG)
        before = time.monotonic()
        publisher.stop()
        assert time.monotonic() - before < HANG_S
        assert len(complaints) == 1 and "has not ended within 0.2 s: it still encodes a message" in complaints[0]
        goes_on.set()


class TestDelivery:
    def test_messages_are_numbered_by_topic_from_0(self, publish, subscribe):
        publisher = publish()
        subscriber = subscribe(publisher, topics=["segment", "status"])
        for value in range(5):
            publisher.put("segment", {"value": value})
        got = [subscriber.receive(timeout=LONG) for _ in range(5)]
        assert [(message["sequence"], message["value"]) for message in got] == [(value, value) for value in range(5)]
        assert {message["publisher"] for message in got} == {got[0]["publisher"]}
        assert subscriber.lost == {"segment": 0, "frame": 0, "status": 0}

    def test_only_the_topics_asked_for_come(self, publish, subscribe):
        publisher = publish()
        subscriber = subscribe(publisher, topics=["status"])
        publisher.put("segment", {})
        publisher.put("frame", {})
        publisher.put("status", {"last": True})
        assert subscriber.receive(timeout=LONG).get("last")

    def test_a_message_that_cannot_be_encoded_is_counted_and_missed_and_those_after_it_come(self, publish, subscribe):
        complaints = []
        publisher = publish(complain=complaints.append)
        subscriber = subscribe(publisher)
        for value in (1.0, float("nan"), 2.0):
            publisher.put("segment", {"value": value})
        assert [subscriber.receive(timeout=LONG)["value"] for _ in range(2)] == [1.0, 2.0]
        assert subscriber.lost["segment"] == 1 and publisher.counts()["refused"] == 1
        assert len(complaints) == 1 and "segment cannot be published" in complaints[0]

    def test_what_was_put_before_a_stop_arrives(self, publish, subscribe):
        publisher = publish()
        subscriber = subscribe(publisher)
        for value in range(40):
            publisher.put("segment", {"value": value, "text": "x" * 50_000})
        publisher.stop()
        assert [subscriber.receive(timeout=LONG)["value"] for _ in range(40)] == list(range(40))

    def test_a_storm_does_not_hold_up_the_sender_nor_grow_and_every_message_is_counted(self, publish):
        """The publisher's thread is held all the time: whatever waits for it would wait without end."""
        may_go_on = threading.Event()

        def encode(_, item):
            may_go_on.wait(LONG)
            return {}

        publisher = publish(encode)
        before = resident_mib()
        for _ in range(200_000):
            publisher.put("segment", bytes(1000))
        assert resident_mib() - before < 20
        assert not may_go_on.is_set() and publisher.counts()["sent"] == 0
        assert publisher.counts()["dropped"] >= 200_000 - 2 * MAX_WAITING["segment"]
        may_go_on.set()
        publisher.stop()
        counts = publisher.counts()
        assert counts["sent"] + counts["dropped"] == 200_000 and counts["refused"] == 0

    def test_the_newest_are_kept_and_a_subscriber_sees_how_many_were_dropped(self, publish, subscribe):
        may_go_on, has_status = threading.Event(), threading.Event()
        may_go_on.set()

        def encode(topic, item):
            if topic == "status":
                has_status.set()
            may_go_on.wait(LONG)
            return item

        # The socket itself drops nothing, however slowly it is read.
        publisher = publish(encode, high_water_mark=2 * MAX_WAITING["segment"])
        subscriber = subscribe(publisher)
        publisher.put("segment", {"value": -1})
        assert subscriber.receive(timeout=LONG)["value"] == -1
        may_go_on.clear()
        publisher.put("status", {})
        assert has_status.wait(LONG)
        many = MAX_WAITING["segment"] + 500
        for value in range(many):
            publisher.put("segment", {"value": value})
        may_go_on.set()
        got = []
        while not got or got[-1] != many - 1:
            message = subscriber.receive(timeout=LONG)
            if message["topic"] == "segment":
                got.append(message["value"])
        assert got == list(range(500, many))
        assert subscriber.lost["segment"] == publisher.counts()["dropped"] == 500

    def test_a_subscriber_that_never_reads_holds_up_nobody(self, publish, subscribe):
        publisher = publish()
        context = zmq.Context()
        hanging = context.socket(zmq.SUB)
        hanging.linger, hanging.rcvhwm, hanging.rcvbuf = 0, 1, 4096
        hanging.subscribe("")
        hanging.connect(publisher.address)
        while not hanging.poll(20):
            publisher.put("status", {})
        reading = subscribe(publisher)
        text, before = "x" * 5000, resident_mib()
        for batch in range(40):
            for value in range(200):
                publisher.put("segment", {"value": value, "text": text})
            for value in range(200):
                assert reading.receive(timeout=LONG)["value"] == value
        assert reading.lost["segment"] == 0 and publisher.counts()["dropped"] == 0
        assert resident_mib() - before < 30
        assert seconds_to(publisher.stop) < HANG_S
        hanging.close()
        context.term()

    def test_a_subscriber_that_vanishes_and_comes_back_is_served_again(self, publish, subscribe):
        publisher = publish()
        code = (
            "import sys; from rpmsn.publishing.subscriber import Subscriber; "
            f"print(next(iter(Subscriber({publisher.address!r})))['sequence'], flush=True); sys.stdin.read()"
        )
        for _ in range(2):
            process = subprocess.Popen(
                [sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env=dict(os.environ, PYTHONPATH=str(ROOT / "python")),
            )
            said = threading.Thread(target=process.stdout.readline)
            said.start()
            while said.is_alive():
                publisher.put("status", {})
                time.sleep(0.02)
            process.kill()
            process.wait()
        subscribe(publisher)
        assert publisher.counts()["dropped"] == 0
        assert seconds_to(publisher.stop) < HANG_S

    def test_a_publisher_that_comes_back_is_found_and_distinguished_from_the_one_before(self, publish, subscribe):
        publisher = publish()
        subscriber = subscribe(publisher)
        first = publisher.address
        publisher.stop()
        assert subscriber.receive(timeout=1.0) is None and "is gone" in subscriber.problem
        publisher.start()
        assert hears(publisher, subscriber)
        assert publisher.address == first and subscriber.problem == ""
        assert subscriber.restarts == 1 and subscriber.lost["status"] == 0

    def test_a_subscriber_that_begins_first_waits_and_says_so(self, publish, subscribe):
        publisher = Publisher(as_it_is, ANY_PORT)
        address = publisher.address
        publisher.stop()
        with Subscriber(address) as subscriber:
            assert subscriber.receive(timeout=0.3) is None
            assert f"no publisher at {address} yet" in subscriber.problem
            assert hears(publish(address=address), subscriber)

    def test_a_publisher_of_another_version_is_an_error_that_says_what_to_do(self, publish, subscribe, monkeypatch):
        publisher = publish()
        subscriber = subscribe(publisher, topics=["segment", "status"])
        monkeypatch.setattr(messages, "VERSION", 2)
        of_later = messages.pack("segment", 0, "a", {})
        monkeypatch.setattr(messages, "VERSION", 1)
        monkeypatch.setattr(messages, "pack", lambda *_: of_later)
        publisher.put("segment", {})
        with pytest.raises(RpmsnError, match="version 2.*same release"):
            subscriber.receive(timeout=LONG)

    def test_what_is_no_message_is_counted_and_skipped(self):
        context = zmq.Context()
        with context, context.socket(zmq.PUB) as other:
            other.linger = 0
            port = other.bind_to_random_port("tcp://127.0.0.1")
            with Subscriber(f"tcp://127.0.0.1:{port}") as subscriber:
                deadline = time.monotonic() + LONG
                while subscriber.unreadable < 3 and time.monotonic() < deadline:
                    other.send(b"status of the weather")
                    assert subscriber.receive(timeout=0.05) is None
                assert subscriber.unreadable >= 3

    @pytest.mark.parametrize("topics", [[], ["segments"], "segment"])
    def test_topics_that_there_are_not_are_named(self, topics):
        with pytest.raises(ParameterError, match="segment, frame, status"):
            Subscriber(topics=topics)


class TestStartAndStop:
    def test_fifty_times_on_the_same_port_leaves_nothing_behind(self, publish, subscribe):
        publisher = publish()
        publisher.stop()
        gc.collect()
        address, files = publisher.address, len(os.listdir("/proc/self/fd"))
        before = set(threading.enumerate())
        slowest = 0.0
        for _ in range(50):
            publisher.start()
            publisher.put("status", {})
            slowest = max(slowest, seconds_to(publisher.stop))
            assert publisher.counts() == {"sent": 1, "dropped": 0, "refused": 0} and publisher.address == address
        assert slowest < HANG_S
        new = set(threading.enumerate()) - before
        assert not [thread for thread in new if thread.name == "rpmsn publisher"]
        assert len(os.listdir("/proc/self/fd")) <= files
        publisher.start()
        subscribe(publisher)

    def test_two_publishers_in_one_process_do_not_mix(self, publish, subscribe):
        both = [publish(), publish()]
        for number, publisher in enumerate(both):
            subscriber = subscribe(publisher)
            publisher.put("segment", {"from": number})
            assert subscriber.receive(timeout=LONG)["from"] == number

    def test_an_address_that_was_taken_meanwhile_is_waited_for(self, publish, subscribe):
        complaints = []
        publisher = publish(complain=complaints.append)
        publisher.stop()
        other = publish(address=publisher.address)
        publisher.start()
        deadline = time.monotonic() + LONG
        while not complaints and time.monotonic() < deadline:
            time.sleep(0.02)
        assert "nothing is published for now" in complaints[0] and "another program" in complaints[0]
        other.stop()
        subscribe(publisher)

    def test_stop_is_quick_while_the_address_is_waited_for(self, publish):
        publisher = publish(complain=lambda _: None)
        publisher.stop()
        publish(address=publisher.address)
        publisher.start()
        publisher.put("status", {})
        time.sleep(0.1)
        assert seconds_to(publisher.stop) < HANG_S
        assert publisher.counts() == {"sent": 0, "dropped": 1, "refused": 0}

    def test_stop_is_quick_and_counts_what_is_left_when_encoding_is_slow(self, publish):
        def encode(_, item):
            time.sleep(0.01)
            return {}

        publisher = publish(encode)
        for _ in range(1000):
            publisher.put("segment", {})
        assert seconds_to(publisher.stop) < HANG_S
        counts = publisher.counts()
        assert counts["sent"] + counts["dropped"] == 1000 and counts["dropped"] > 0

    def test_a_publisher_that_never_ran_frees_its_address_and_lets_the_program_end(self):
        code = (
            "import gc; from rpmsn.publishing.publisher import Publisher\n"
            "class Block:\n"
            "    def __init__(self, address): self.publisher = Publisher(self.encode, address)\n"
            "    def encode(self, topic, item): return item\n"
            f"address = Block({ANY_PORT!r}).publisher.address; gc.collect()\n"
            "block = Block(address); print('again')"
        )
        result = subprocess.run(
            [sys.executable, "-c", code],
            text=True,
            capture_output=True,
            timeout=PROCESS_S,
            env=dict(os.environ, PYTHONPATH=str(ROOT / "python")),
        )
        assert (result.returncode, result.stdout, result.stderr) == (0, "again\n", "")


@pytest.fixture(scope="module")
def key_folder(tmp_path_factory):
    """Folder with keys for the publisher and `friend`; `stranger` has keys that the publisher does not know."""
    folder = tmp_path_factory.mktemp("keys")
    keys.make_keys(folder, ["friend", "stranger"])
    (folder / "clients" / "stranger.key").unlink()
    keys.make_keys(folder / "elsewhere")
    return folder


@needs_curve
class TestKeys:
    def server(self, folder, clients=True):
        return {
            "address": "tcp://0.0.0.0:0",
            "server_secret_key_file": folder / "server.key_secret",
            "client_keys_folder": folder / "clients" if clients else "",
        }

    def client(self, folder, name):
        return {"server_key_file": folder / "server.key", "client_secret_key_file": folder / f"{name}.key_secret"}

    @pytest.mark.parametrize("clients", [True, False])
    def test_the_right_key_gets_messages_beyond_this_computer(self, publish, subscribe, key_folder, clients):
        publisher = publish(**self.server(key_folder, clients))
        subscriber = subscribe(publisher, **self.client(key_folder, "friend"))
        publisher.put("segment", {"value": 1})
        assert subscriber.receive(timeout=LONG)["value"] == 1

    def test_a_stranger_gets_nothing_and_the_reason(self, publish, subscribe, key_folder):
        publisher = publish(**self.server(key_folder))
        stranger = subscribe(publisher, wait=False, **self.client(key_folder, "stranger"))
        assert not hears(publisher, stranger, 1.5)
        assert "does not know our key" in stranger.problem
        subscribe(publisher, **self.client(key_folder, "friend"))

    def test_without_keys_nothing_comes(self, publish, subscribe, key_folder):
        publisher = publish(**self.server(key_folder))
        curious = subscribe(publisher, wait=False)
        assert not hears(publisher, curious, 1.5)
        assert "wants keys" in curious.problem

    def test_a_false_publisher_is_not_believed(self, publish, subscribe, key_folder):
        publisher = publish(**self.server(key_folder / "elsewhere"))
        subscriber = subscribe(publisher, wait=False, **self.client(key_folder, "friend"))
        assert not hears(publisher, subscriber, 1.5)
        assert "another key" in subscriber.problem

    def test_keys_for_a_publisher_without_are_refused(self, publish, subscribe, key_folder):
        publisher = publish()
        subscriber = subscribe(publisher, wait=False, **self.client(key_folder, "friend"))
        assert not hears(publisher, subscriber, 1.5)
        # Which of them is said depends on whose end of the connection is seen first.
        assert "has no keys" in subscriber.problem or "has none (connect without)" in subscriber.problem

    def test_nobody_gets_in_before_the_publisher_runs(self, subscribe, key_folder):
        publisher = Publisher(as_it_is, **self.server(key_folder))
        stranger = subscribe(publisher, wait=False, **self.client(key_folder, "stranger"))
        friend = subscribe(publisher, wait=False, **self.client(key_folder, "friend"))
        assert stranger.receive(timeout=0.3) is None
        publisher.start()
        assert hears(publisher, friend) and not hears(publisher, stranger, 0.5)
        publisher.stop()

    def test_who_was_let_in_later_gets_in_without_being_started_again(self, publish, subscribe, tmp_path):
        keys.make_keys(tmp_path, ["late", "other"])
        hidden = (tmp_path / "clients" / "late.key").rename(tmp_path / "late.key")
        publisher = publish(**self.server(tmp_path))
        subscriber = subscribe(publisher, wait=False, **self.client(tmp_path, "late"))
        assert not hears(publisher, subscriber, 0.5)
        publisher.stop()
        hidden.rename(tmp_path / "clients" / "late.key")
        assert hears(publish(**{**self.server(tmp_path), "address": publisher.address}), subscriber)
        assert subscriber.problem == ""

    @pytest.mark.parametrize(
        "server, clients, words",
        [
            ("nothing", "", "server_secret_key_file.*nothing.*rpmsn.publishing.keys FOLDER"),
            ("server.key", "", "only the public half.*key_secret"),
            ("server.key_secret", "no-folder", "client_keys_folder.*no-folder.*no public key"),
            ("empty", "", "cannot be read as a key"),
            ("half", "", "cannot be read as a key"),
            ("short", "", "what stands for a key is none"),
            ("server.key_secret", "bad", "client_keys_folder.*x.key"),
        ],
    )
    def test_keys_that_cannot_be_read_are_named(self, key_folder, tmp_path, server, clients, words):
        shutil.copytree(key_folder, tmp_path, dirs_exist_ok=True)
        (tmp_path / "empty").write_text("")
        (tmp_path / "half").write_text("curve\n    public-key\n")
        (tmp_path / "short").write_text('curve\n    public-key = "abc"\n    secret-key = "abc"\n')
        (tmp_path / "bad").mkdir()
        (tmp_path / "bad" / "x.key").write_text('curve\n    public-key = "%s"\n' % ("é" * 20))
        with pytest.raises(ParameterError, match=words):
            Publisher(as_it_is, ANY_PORT, tmp_path / server, tmp_path / clients if clients else "")

    def test_a_subscriber_with_one_key_file_is_refused_because_two_are_needed(self, key_folder):
        with pytest.raises(ParameterError, match="needs both files"):
            Subscriber(server_key_file=key_folder / "server.key")

    def test_the_command_makes_keys_that_only_their_owner_can_read(self, tmp_path, capsys):
        assert keys.main([str(tmp_path / "k"), "laptop"]) == 0
        written = [Path(line) for line in capsys.readouterr().out.splitlines()]
        assert {path.name for path in written} == {"server.key", "server.key_secret", "laptop.key", "laptop.key_secret"}
        for path in written:
            assert path.stat().st_mode & 0o077 == 0 or path.suffix == ".key"
        server = (tmp_path / "k" / "server.key_secret").read_bytes()
        assert keys.main([str(tmp_path / "k"), "desk"]) == 0
        assert (tmp_path / "k" / "server.key_secret").read_bytes() == server
        assert {path.stem for path in (tmp_path / "k" / "clients").iterdir()} == {"laptop", "desk"}

    @pytest.mark.parametrize(
        "name, words",
        [
            ("laptop", "exists"),
            ("server", "cannot be the name"),
            ("../x", "cannot be the name"),
            ("", "cannot be the name"),
        ],
    )
    def test_the_command_refuses_to_overwrite_and_bad_names(self, tmp_path, capsys, name, words):
        keys.main([str(tmp_path), "laptop"])
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert keys.main([str(tmp_path), "new", name]) == 1
        assert words in capsys.readouterr().err
        assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    @pytest.mark.parametrize("there", ["laptop.key_secret", "clients/laptop.key", "server.key"])
    def test_a_key_that_appears_while_keys_are_made_is_not_overwritten(self, tmp_path, monkeypatch, there):
        (tmp_path / "clients").mkdir()
        (tmp_path / there).write_text("of another program")
        monkeypatch.setattr(os.path, "lexists", lambda path: False)  # it was not there when that was looked at
        with pytest.raises(ParameterError, match=f"{there} exists; choose another name, or remove it"):
            keys.make_keys(tmp_path, ["laptop"])
        assert (tmp_path / there).read_text() == "of another program"
        halves = {path.stem for path in tmp_path.rglob("*.key*") if path != tmp_path / there}
        assert halves <= {"server"} and not list(tmp_path.rglob("*.tmp"))

    def test_of_two_who_make_the_same_keys_one_wins(self, tmp_path):
        refused, barrier = [], threading.Barrier(4)

        def make():
            barrier.wait()
            try:
                keys.make_keys(tmp_path, ["laptop"])
            except ParameterError as error:
                refused.append(error)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 3
        server = keys.load_server_keys(tmp_path / "server.key_secret", tmp_path / "clients")
        client = keys.load_client_keys(tmp_path / "laptop.key_secret", tmp_path / "server.key")
        assert client.server == server.public and server.clients == {client.public}

    def test_no_moment_comes_in_which_others_could_read_a_secret(self, tmp_path, monkeypatch):
        modes = []
        monkeypatch.setattr(os, "fsync", lambda handle: modes.append(os.fstat(handle).st_mode))
        before = os.umask(0)
        try:
            written = keys.make_keys(tmp_path, ["laptop"])
        finally:
            os.umask(before)
        secrets = [path for path in written if path.suffix == ".key_secret"]
        assert len(secrets) == 2 and all(path.stat().st_mode & 0o777 == 0o600 for path in secrets)
        assert [stat.S_IMODE(mode) for mode in modes if stat.S_ISREG(mode)] == [0o600, 0o644, 0o600, 0o644]


SEGMENT = {
    "rx_time": "2023-11-14T22:13:20.123456789Z",
    "event": "new",
    "burst_id": 7,
    "label": "LTE",
    "freq_lower": 2.391e9,
    "freq_upper": 2.409e9,
    "snr_db": 21.5,
    "confidence": 0.98,
}
"""What the example shows of a segment."""


class TestExample:
    EXAMPLE = ROOT / "examples" / "zmq_subscriber.py"

    def start(self, *arguments):
        return subprocess.Popen(
            [sys.executable, str(self.EXAMPLE), *arguments],
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(os.environ, PYTHONPATH=str(ROOT / "python")),
        )

    def feed(self, publisher, process):
        """Publish segments until a process has ended."""
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            for event in ("new", "update", "gone"):
                publisher.put("segment", {**SEGMENT, "event": event})
            time.sleep(0.05)
        return process.communicate(timeout=PROCESS_S)

    def test_prints_a_line_for_each_carrier_that_is_new_or_gone(self, publish):
        publisher = publish()
        output, errors = self.feed(publisher, process := self.start(publisher.address, "--count", "4"))
        assert process.returncode == 0, errors
        header, *lines = output.splitlines()
        assert header.split()[-2:] == ["dB", "confidence"] and len(lines) == 4
        assert {line.split()[1] for line in lines} == {"new", "gone"}
        assert lines[0].split()[2:] == ["7", "LTE", "2391.000", "2409.000", "21.5", "0.98"]
        assert "connected to" in errors

    def test_waits_for_a_publisher_and_is_ended_by_ctrl_c(self):
        process = self.start("tcp://127.0.0.1:1")
        assert "no publisher at tcp://127.0.0.1:1 yet" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(PROCESS_S) == 0 and "Traceback" not in process.stderr.read()

    def test_says_in_a_sentence_what_is_wrong_with_an_address(self):
        process = self.start("nonsense")
        _, errors = process.communicate(timeout=PROCESS_S)
        assert process.returncode == 1 and errors.startswith("zmq_subscriber: address is 'nonsense'")
