# SPDX-License-Identifier: GPL-3.0-or-later
"""`rpmsn monitor`: a whole program with a real client against radios on loopback, in good and bad times."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from limits import HANG_S, PROCESS_S
from radio_tools import SCENE_RATE, RtlTcpServer, build_test_device, write_lte_scene

from rpmsn.classes import CLASS_NAMES
from rpmsn.errors import RadioError
from rpmsn.models import choice as model_choice
from rpmsn.station import monitor, monitor_line

pytest.importorskip("gnuradio.gr")

ROOT = Path(__file__).resolve().parents[2]
STATUS_LINE = re.compile(r" *\d\d:\d\d:\d\dZ  ")
OPTIONS = SimpleNamespace(json=False, duration=None, reconnect=None)
BANDS = "bands=899.6e6:899.9e6:30/900.5e6:905e6:25"


@pytest.fixture(scope="module")
def soapy(tmp_path_factory):
    """Environment of the test device."""
    folder = tmp_path_factory.mktemp("soapy") / "modules"
    folder.mkdir()
    return build_test_device(folder)


def command(*arguments):
    return [sys.executable, "-m", "rpmsn.cli", "monitor", *map(str, arguments)]


def run(*arguments, environment=None, timeout=PROCESS_S):
    return subprocess.run(command(*arguments), text=True, capture_output=True, timeout=timeout, env=full(environment))


def full(environment):
    return {**os.environ, "PYTHONPATH": str(ROOT / "python"), **(environment or {})}


def read_log(path):
    """Lines of a log, every one whole and none missing."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["sequence"] for line in lines] == list(range(len(lines)))
    return lines


@pytest.fixture(scope="module")
def watched(soapy, all_lte, tmp_path_factory):
    """(stdout, lines of the log) of 4.5 s of a radio that loses half a second, and a carrier wider than its span."""
    log = tmp_path_factory.mktemp("monitor") / "found.jsonl"
    result = run(
        "--device",
        f"driver=rpmsntest,overflow=1:0.5,{BANDS}",
        "--frequency",
        "900M",
        "--rate",
        "5M",
        "--model",
        all_lte,
        "--duration",
        4.5,
        "--log",
        log,
        environment=soapy,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout, read_log(log)


class TestGoodTimes:
    def test_a_line_a_second_with_the_columns_of_the_header(self, watched):
        header, *lines = watched[0].splitlines()
        assert header.split() == [
            "time",
            "MHz",
            "Msps",
            "coverage",
            "late",
            "lost",
            "clock",
            "ms",
            "LTE",
            "NR",
            "other",
            "cut",
            "health",
        ]
        status = [line for line in lines if STATUS_LINE.match(line)]
        assert len(status) == 4
        assert all(line.split()[1] == "900.000" for line in status)

    def test_lost_samples_are_reported(self, watched):
        lost = [line.split()[6] for line in watched[0].splitlines() if STATUS_LINE.match(line)]
        assert lost[-1] == "2500000"

    def test_a_carrier_wider_than_the_span_is_said_to_be(self, watched):
        assert re.search(r"LTE +< 897.500 +> 902.\d+ +> [45]\.\d+", watched[0])
        assert "< and >: wider than the radio's span; a band_scanner finds the whole" in watched[0]

    def test_the_log_is_whole(self, watched):
        assert {line.get("event") for line in watched[1]} >= {"new", "update", "gone"}
        assert {line["topic"] for line in watched[1]} == {"segment", "status"}
        assert {line["time_source"] for line in watched[1] if line["topic"] == "segment"} == {"radio"}

    def test_json_lines_are_for_machines(self, soapy, any_rate_model):
        result = run(
            "--device",
            "driver=rpmsntest",
            "--frequency",
            "900M",
            "--model",
            any_rate_model,
            "--duration",
            2.5,
            "--json",
            environment=soapy,
        )
        *status, last = [json.loads(line) for line in result.stdout.splitlines()]
        assert len(status) == 2 and list(last) == ["carriers"]
        assert {"time", "samples_received", "clock_drift", "carriers", "carriers_cut"} <= set(status[0])

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    def test_ends_well_when_asked_to(self, soapy, any_rate_model, tmp_path, number):
        log = tmp_path / "found.jsonl"
        process = subprocess.Popen(
            command("--device", "driver=rpmsntest", "--frequency", "900M", "--model", any_rate_model, "--log", log),
            env=full(soapy),
            stdout=subprocess.PIPE,
            text=True,
        )
        process.stdout.readline()
        process.stdout.readline()
        process.send_signal(number)
        assert process.wait(PROCESS_S) == 0
        assert read_log(log)

    def test_a_signal_ends_it_while_a_driver_hangs_in_open(self, soapy, any_rate_model):
        process = subprocess.Popen(
            command("--device", "driver=rpmsntest,hang=1000", "--frequency", "900M", "--model", any_rate_model),
            env=full(soapy),
        )
        end = time.monotonic() + 60
        while "libtestdevice" not in Path(f"/proc/{process.pid}/maps").read_text() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)
        process.terminate()
        assert process.wait(HANG_S) == -signal.SIGTERM

    def test_what_is_found_is_published(self, soapy, all_lte):
        pytest.importorskip("zmq")
        from rpmsn.publishing.subscriber import Subscriber

        process = subprocess.Popen(
            command(
                "--device",
                f"driver=rpmsntest,{BANDS}",
                "--frequency",
                "900M",
                "--rate",
                "5M",
                "--model",
                all_lte,
                "--publish",
                "tcp://127.0.0.1:55871",
            ),
            env=full(soapy),
            stdout=subprocess.DEVNULL,
        )
        try:
            with Subscriber("tcp://127.0.0.1:55871", topics=["segment", "status"]) as subscriber:
                topics = set()
                end = time.monotonic() + HANG_S
                while topics != {"segment", "status"} and time.monotonic() < end:
                    message = subscriber.receive(timeout=1.0)
                    topics |= {message["topic"]} if message else set()
            assert topics == {"segment", "status"}
        finally:
            process.terminate()
            process.wait(PROCESS_S)


@pytest.fixture
def rtl_tcp():
    """Skips where the real client is missing."""
    pytest.importorskip("osmosdr")


def reported(result):
    """(status lines, carriers at the end) of a run with --json."""
    assert result.returncode == 0, result.stderr
    *status, last = [json.loads(line) for line in result.stdout.splitlines()]
    return status, last["carriers"]


@pytest.mark.usefixtures("rtl_tcp")
class TestWhatIsOnTheAir:
    @pytest.mark.parametrize("seed, frequency", [(2, 806.0e6), (3, 806.5e6), (4, 805.9e6)])
    def test_an_lte_carrier_is_found_as_lte_with_its_edges(self, tmp_path, seed, frequency):
        """Synthetic samples, the shipped model, which says LTE of all of eight such carriers at four places each.

        An image has 256 columns, and two of them are the tolerance.
        """
        scene, edges = write_lte_scene(tmp_path, seed)
        with RtlTcpServer("--recording", scene, "--shift") as server:
            status, carriers = reported(
                run(
                    "--device",
                    server.device,
                    "--frequency",
                    frequency,
                    "--rate",
                    SCENE_RATE,
                    "--gain",
                    30,
                    "--duration",
                    5,
                    "--json",
                )
            )
        found = max(carriers, key=lambda carrier: carrier["time_on_air"])
        assert found["label"] == "LTE"
        assert (found["freq_lower"], found["freq_upper"]) == pytest.approx(edges, abs=2 * SCENE_RATE / 256)
        assert status[-1]["carriers"]["LTE"] == 1 and status[-1]["carriers_cut"] == 0

    def test_the_middle_of_a_carrier_off_the_air_is_found(self, captures):
        """Of its class nothing is promised: without an edge in sight the shipped model calls it `other`."""
        with RtlTcpServer("--recording", captures / "ota_rtlsdr_lte_1860MHz.sigmf-meta", "--shift") as server:
            status, carriers = reported(
                run("--device", server.device, "--frequency", "1860M", "--rate", "1.92M", "--duration", 4, "--json")
            )
        assert (
            sum(carrier["freq_upper"] - carrier["freq_lower"] for carrier in carriers if carrier["time_on_air"] > 1)
            > 0.75 * 1.92e6
        )
        # Its DC spike is information, and no fault of the input.
        assert status[-1]["health"] == "ok"

    def test_a_receivers_noise_off_the_air_has_no_carrier(self, captures):
        with RtlTcpServer("--recording", captures / "ota_noise_2646MHz.sigmf-meta") as server:
            _, carriers = reported(
                run("--device", server.device, "--frequency", "806M", "--rate", "1.92M", "--duration", 4, "--json")
            )
        assert carriers == []


class TestBadTimes:
    def test_unplugged_it_ends_with_the_next_step_and_whole_files(self, soapy, all_lte, tmp_path):
        log = tmp_path / "found.jsonl"
        result = run(
            "--device",
            f"driver=rpmsntest,unplug=2,{BANDS}",
            "--frequency",
            "900M",
            "--rate",
            "5M",
            "--model",
            all_lte,
            "--log",
            log,
            environment=soapy,
        )
        assert result.returncode == 1
        assert "is it still plugged in, is its server still running? `rpmsn devices` lists" in result.stderr
        assert any(line.get("event") == "gone" for line in read_log(log))

    def test_a_server_that_disconnects_and_comes_back_can_be_watched_again(self, any_rate_model, tmp_path):
        pytest.importorskip("osmosdr")
        log = tmp_path / "found.jsonl"
        with RtlTcpServer("--fault", "disconnect", 2, 0, "--band", 899e6, 901e6, 20) as server:
            arguments = ("--device", server.device, "--frequency", "900M", "--model", any_rate_model, "--log", log)
            result = run(*arguments)
            assert result.returncode == 1
            assert "has sent nothing for 5 s" in result.stderr
            read_log(log)
            again = run(*arguments, "--duration", 2)
        assert again.returncode == 0
        assert read_log(tmp_path / "found_2.jsonl")

    def test_asked_to_reconnect_it_waits_for_a_server_that_comes_back_and_goes_on_in_new_files(
        self, rtl_tcp, any_rate_model, tmp_path
    ):
        log = tmp_path / "found.jsonl"
        server = RtlTcpServer("--band", 899e6, 901e6, 20)
        with server:
            process = subprocess.Popen(
                command(
                    "--device",
                    server.device,
                    "--frequency",
                    "900M",
                    "--model",
                    any_rate_model,
                    "--log",
                    log,
                    "--reconnect",
                    1,
                    "--json",
                ),
                env=full(None),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            try:
                first = json.loads(process.stdout.readline())
                server.kill()
                for line in process.stdout:
                    if "carriers" in json.loads(line) and "time" not in json.loads(line):
                        break
                before = log.read_text()
                with RtlTcpServer("--band", 899e6, 901e6, 20, "--port", server.device.rpartition(":")[2]):
                    again = json.loads(process.stdout.readline())
                    process.send_signal(signal.SIGTERM)
                    _, said = process.communicate(timeout=PROCESS_S)
            finally:
                process.kill()
        assert process.returncode == 0, said
        assert "it is opened again in 1 s" in said
        assert again["time"] > first["time"] and again["samples_received"] < first["samples_received"] + 2 * 2.4e6
        assert log.read_text() == before and read_log(log)
        assert read_log(tmp_path / "found_2.jsonl")

    def test_asked_to_reconnect_it_still_ends_where_the_radio_was_never_there(self, rtl_tcp):
        result = run("--device", "rtl_tcp=127.0.0.1:9", "--frequency", "900M", "--reconnect", 1)
        assert result.returncode == 1 and "nothing answers at 127.0.0.1:9" in result.stderr

    def test_times_of_a_radio_without_a_clock_are_said_to_be_the_hosts(self, any_rate_model, tmp_path):
        pytest.importorskip("osmosdr")
        log = tmp_path / "found.jsonl"
        with RtlTcpServer("--band", 899.8e6, 900.2e6, 30) as server:
            result = run(
                "--device",
                server.device,
                "--frequency",
                "900M",
                "--model",
                any_rate_model,
                "--duration",
                3,
                "--log",
                log,
            )
        assert "times are this computer's (time_source host)" in result.stderr
        assert {line["time_source"] for line in read_log(log) if line["topic"] == "segment"} <= {"host"}

    @pytest.mark.parametrize(
        "arguments, status, said",
        [
            (("--device", "driver=rpmsntest", "--frequency", "900Q"), 2, "write it as 1842.5M"),
            (("--device", "driver=rpmsntest", "--frequency", "9G"), 1, "no frequency of 9000 MHz"),
            (("--device", "driver=rpmsntest", "--frequency", "900M", "--model", "none"), 1, "is unknown"),
            (("--device", "driver=rpmsntest", "--frequency", "900M", "--log", "found.txt"), 2, "ends in one of"),
            (
                ("--device", "driver=rpmsntest", "--frequency", "900M", "--duty-cycle", "2"),
                2,
                "--duty-cycle: '2' is not a fraction",
            ),
            (("--device", "driver=rpmsntest", "--frequency", "900M", "--reconnect", "-1"), 2, "seconds of 0 or more"),
        ],
    )
    def test_wrong_use_is_reported_in_a_sentence(self, soapy, arguments, status, said):
        result = run(*arguments, environment=soapy)
        assert (result.returncode, said in result.stderr, "Traceback" in result.stderr) == (status, True, False)


class StoppedFlowgraph:
    """A flowgraph whose radio has stopped, and a clock for it."""

    device = "driver=rtlsdr"

    def __init__(self):
        self.now = 0.0

    def clock(self):
        self.now += 1.0
        return self.now

    def status(self):
        return {
            "samples_received": 1000,
            "samples_analysed": 900,
            "samples_dropped": 0,
            "samples_skipped": 0,
            "samples_lost": 0,
            "sample_rate": 1e6,
            "center_frequency": 9e8,
            "input_rate": 0.0,
            "coverage": 1.0,
            "frames_dropped": 0,
            "health": "ok",
        }

    def carriers(self):
        return []


def test_a_radio_that_is_silent_for_five_seconds_has_stopped(monkeypatch, capsys):
    monkeypatch.setattr(monitor, "STEP_SECONDS", 0)
    flowgraph = StoppedFlowgraph()
    watch = monitor.Watch(flowgraph, OPTIONS, flowgraph.clock)
    with pytest.raises(RadioError, match="driver=rtlsdr has sent nothing for 5 s"):
        watch.watch(SimpleNamespace(wait=lambda seconds: False))
    assert 6 <= flowgraph.now <= 9


def test_the_clock_column_says_how_far_the_samples_fall_behind():
    flowgraph = StoppedFlowgraph()
    watch = monitor.Watch(flowgraph, OPTIONS, flowgraph.clock)
    assert watch._drift(0, 1e6, now=10.0) == 0
    assert watch._drift(2_000_000, 1e6, now=12.25) == pytest.approx(0.25)


def test_carriers_on_the_air_are_those_seen_lately():
    carrier = SimpleNamespace(sample_end=900, sample_rate=1000)
    assert monitor_line.carriers_on_air([carrier], 1000, 0.5) == [carrier]
    assert monitor_line.carriers_on_air([carrier], 2000, 0.5) == []


@pytest.mark.parametrize("rate, chosen", [(2.4e6, "narrow"), (61.44e6, "wide"), (1e6, "rpmsn-rt")])
def test_the_model_for_the_narrowest_range_that_holds_the_rate_is_chosen(monkeypatch, rate, chosen):
    ranges = {"narrow": (1.92e6, 5e6), "wide": (1.92e6, 125e6)}
    monkeypatch.setattr(model_choice, "available_models", lambda: sorted(ranges))
    ranges["three classes"] = (rate, rate)  # for comparisons

    def load_model(name):
        classes = CLASS_NAMES[:3] if name == "three classes" else CLASS_NAMES
        return SimpleNamespace(card=SimpleNamespace(sample_rates=ranges[name], classes=classes))

    monkeypatch.setattr(model_choice, "load_model", load_model)
    assert model_choice.model_for_rate(rate) == chosen
