# SPDX-License-Identifier: GPL-3.0-or-later
"""Atomic writes, the user's folders, and YAML that is read or refused by name."""

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
import yaml
from limits import PROCESS_S

from rpmsn import files
from rpmsn.errors import ModelError, ParameterError, RpmsnError, WriteError
from rpmsn.files import read_yaml, to_yaml, user_cache_dir, user_config_dir, whole_file, write_whole

SIZE = 1 << 18
"""Bytes that several writes of the operating system take."""

WRITE_OFTEN = f"""
import sys
from rpmsn.files import whole_file
for _ in range(60):
    with whole_file(sys.argv[1]) as file:
        for _ in range(8):
            file.write(sys.argv[2].encode() * {SIZE // 8})
            file.flush()
"""


def fail(*args, **kwargs):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def in_no_time(handle):
    """Instead of a sync, which waits for a disk that others use too."""


class TestWholeFile:
    def test_a_file_keeps_what_it_had_where_writing_fails(self, tmp_path):
        path = tmp_path / "kept"
        path.write_bytes(b"before")
        with pytest.raises(RuntimeError), whole_file(path) as file:
            file.write(b"half")
            raise RuntimeError
        assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]

    def test_two_processes_at_a_time_never_mix(self, tmp_path):
        path = tmp_path / "shared"
        path.write_bytes(b"0" * SIZE)
        environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])}
        writers = [
            subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, path, letter], env=environment, stderr=subprocess.PIPE)
            for letter in "ab"
        ]
        seen = set()
        while any(writer.poll() is None for writer in writers):
            content = path.read_bytes()
            assert len(content) == SIZE and len(set(content)) == 1
            seen.add(content[:1])
        for writer in writers:
            errors = writer.communicate(timeout=PROCESS_S)[1]
            assert writer.returncode == 0, errors.decode()
        assert len(seen) >= 2 and list(tmp_path.iterdir()) == [path]

    def test_what_killed_writers_left_is_removed_by_the_next_one_and_no_other_file(self, tmp_path):
        environment = {**os.environ, "PYTHONPATH": str(Path(files.__file__).parents[1])}
        path = tmp_path / "big[1]"
        for _ in range(2):
            code = "import sys, time; from rpmsn.files import whole_file\nwith whole_file(sys.argv[1]) as file:\n"
            code += "    file.write(b'half'); file.flush(); print('writing', flush=True); time.sleep(60)"
            writer = subprocess.Popen([sys.executable, "-c", code, path], env=environment, stdout=subprocess.PIPE)
            assert writer.stdout.readline() == b"writing\n"
            kept = [whole_file(tmp_path / name) for name in ("big[1]", "big1", "big[1].x")]
            with kept[0] as first, kept[1] as second, kept[2] as third:  # next to a writer, none loses its file
                for file in (first, second, third):
                    file.write(b"whole")
                assert len(list(tmp_path.glob(".*.tmp"))) == 4
                write_whole(path, "another")
                assert len(list(tmp_path.glob(".*.tmp"))) == 4
            writer.kill()
            writer.communicate()
        assert len(list(tmp_path.glob(".*.tmp"))) == 1
        write_whole(path, "x")
        assert sorted(entry.name for entry in tmp_path.iterdir()) == ["big1", "big[1]", "big[1].x"]

    def test_a_file_that_is_removed_before_it_is_locked_is_made_again(self, tmp_path, monkeypatch):
        locks = iter([False, True])
        lock = files._lock
        monkeypatch.setattr(files, "_lock", lambda file: lock(file) and next(locks))
        write_whole(tmp_path / "new", "x")
        assert (tmp_path / "new").read_text() == "x" and next(locks, "none") == "none"

    def test_a_system_without_locks_will_do(self, tmp_path, monkeypatch):
        monkeypatch.setattr(files, "fcntl", None)
        write_whole(tmp_path / "new", "x")
        write_whole(tmp_path / "new", "y")
        assert (tmp_path / "new").read_text() == "y" and list(tmp_path.iterdir()) == [tmp_path / "new"]

    def test_many_threads_at_a_time_never_mix(self, tmp_path, monkeypatch):
        monkeypatch.setattr(os, "fsync", in_no_time)
        path, faults = tmp_path / "shared", []
        barrier = threading.Barrier(4)

        def write(letter):
            barrier.wait()
            for _ in range(50):
                try:
                    with whole_file(path) as file:
                        for _ in range(4):
                            file.write(letter * 1000)
                            file.flush()
                except OSError as error:
                    faults.append(error)
                content = path.read_bytes()
                if len(content) != 4000 or len(set(content)) != 1:
                    faults.append(content)

        threads = [threading.Thread(target=write, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults and list(tmp_path.iterdir()) == [path]

    @pytest.mark.parametrize("has_links", [True, False])
    def test_of_many_who_may_not_overwrite_one_wins(self, tmp_path, monkeypatch, has_links):
        if not has_links:
            monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links here")))
        path, refused = tmp_path / "new", []
        barrier = threading.Barrier(6)

        def write(content):
            barrier.wait()
            try:
                write_whole(path, content, overwrite=False)
            except FileExistsError:
                refused.append(content)

        threads = [threading.Thread(target=write, args=(str(number),)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 5 and path.read_text() not in refused and list(tmp_path.iterdir()) == [path]

    def test_the_folder_is_synced_after_the_name_is_there(self, tmp_path, monkeypatch):
        synced = []

        def note(handle):
            is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
            synced.append(("folder" if is_folder else "file", (tmp_path / "new").exists()))

        monkeypatch.setattr(os, "fsync", note)
        write_whole(tmp_path / "new", "x")
        assert synced == [("file", False), ("folder", True)]

    def test_a_file_system_that_cannot_sync_folders_will_do(self, tmp_path, monkeypatch):
        def refuse(handle):
            if stat.S_ISDIR(os.fstat(handle).st_mode):
                raise OSError(errno.EINVAL, "no such thing here")

        monkeypatch.setattr(os, "fsync", refuse)
        write_whole(tmp_path / "new", "x")
        assert (tmp_path / "new").read_text() == "x"

    @pytest.mark.parametrize("umask, wanted, mode", [(0o022, 0o666, 0o644), (0o077, 0o666, 0o600), (0, 0o600, 0o600)])
    def test_permissions_are_what_the_umask_leaves_from_the_start(self, tmp_path, monkeypatch, umask, wanted, mode):
        seen = []
        monkeypatch.setattr(os, "fsync", lambda handle: seen.append(stat.S_IMODE(os.fstat(handle).st_mode)))
        before = os.umask(umask)
        try:
            write_whole(tmp_path / "new", "x", mode=wanted)
        finally:
            os.umask(before)
        assert seen[0] == stat.S_IMODE((tmp_path / "new").stat().st_mode) == mode

    def test_a_name_as_long_as_may_be(self, tmp_path):
        for name in ("n" * 255, "ü" * 127):
            write_whole(tmp_path / name, "x")
            assert (tmp_path / name).read_text() == "x"

    @pytest.mark.parametrize("broken", ["fsync", "replace"])
    @pytest.mark.parametrize("before", [None, b"before"])
    def test_a_full_disk_changes_nothing_and_is_said_in_a_sentence(self, tmp_path, monkeypatch, broken, before):
        path = tmp_path / "kept"
        if before is not None:
            path.write_bytes(before)
        monkeypatch.setattr(os, broken, fail)
        with pytest.raises(WriteError) as error:
            write_whole(path, "x")
        assert str(error.value) == (
            f"{path} cannot be written: No space left on device. Choose a folder with space that you may write to."
        )
        assert isinstance(error.value, RpmsnError) and error.value.errno == errno.ENOSPC
        assert [entry.read_bytes() for entry in tmp_path.iterdir()] == ([] if before is None else [before])

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
    def test_a_disk_that_numpy_finds_full_is_named(self, tmp_path):
        cannot = pytest.raises(WriteError, match=f"^{tmp_path}/x.npy cannot be written: ")
        with cannot, whole_file(tmp_path / "x.npy"), open("/dev/full", "wb") as full:
            np.save(full, np.zeros(1 << 20))

    @pytest.mark.parametrize("name, reason", [("none/x", "No such file"), ("file/x", "Not a directory")])
    def test_a_folder_that_is_none_is_said_in_a_sentence(self, tmp_path, name, reason):
        (tmp_path / "file").write_text("")
        with pytest.raises(WriteError, match=f"^{tmp_path / name} cannot be written: {reason}.* Choose a folder"):
            write_whole(tmp_path / name, "x")

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_a_folder_without_permission_is_said_in_a_sentence(self, tmp_path):
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(WriteError, match="closed/x cannot be written: Permission denied"):
            write_whole(tmp_path / "closed" / "x", "x")

    def test_a_fault_of_another_file_is_not_taken_for_one_of_this(self, tmp_path):
        with pytest.raises(FileNotFoundError, match="input"), whole_file(tmp_path / "output"):
            open(tmp_path / "input")
        assert not list(tmp_path.iterdir())


class TestUserFolders:
    @pytest.mark.parametrize(
        "function, variable, usual, name",
        [
            (user_config_dir, "XDG_CONFIG_HOME", ".config", "gr-rpmsn"),
            (user_cache_dir, "XDG_CACHE_HOME", ".cache", "rpmsn"),
        ],
    )
    def test_the_variable_counts_where_it_is_absolute(self, function, variable, usual, name, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        for value in ("", "relative/folder"):
            monkeypatch.setenv(variable, value)
            assert function() == tmp_path / "home" / usual / name
        monkeypatch.delenv(variable)
        assert function() == tmp_path / "home" / usual / name
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
        assert function() == tmp_path / "elsewhere" / name
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("function", [user_config_dir, user_cache_dir])
    def test_without_a_home_nothing_raises_and_nothing_is_made(self, function, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        for variable in ("XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(os.path, "expanduser", lambda path: path)  # as for a user who is in no list of users
        path = function() / "file"
        assert not path.exists()
        with pytest.raises(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
        assert not list(tmp_path.iterdir())


def test_yaml_comes_as_plain_types(tmp_path):
    path = tmp_path / "values.yml"
    path.write_text("name: Zürich\nrates: [1.0e+6, 2]\n", encoding="utf-8")
    assert read_yaml(path) == {"name": "Zürich", "rates": [1e6, 2]}
    path.write_text("")
    assert read_yaml(str(path)) is None


@pytest.mark.parametrize(
    "text, value",
    [
        ("1.92e6", 1.92e6),
        ("1e6", 1e6),
        ("1.92e+6", 1.92e6),
        ("-.5", -0.5),
        ("-5", -5),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("-.inf", float("-inf")),
        ("true", True),
        ("null", None),
        ("~", None),
        ("'1e6'", "1e6"),
        ("yes", "yes"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("2024-13-45", "2024-13-45"),
        ("1.92e6 Hz", "1.92e6 Hz"),
    ],
)
def test_one_rule_distinguishes_numbers_from_text(tmp_path, text, value):
    path = tmp_path / "value.yml"
    path.write_text(f"a: {text}\n")
    read = read_yaml(path)["a"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize(
    "value", ["1e6", "1.5", "12", "yes", "no", "0o17", "1:30", "2024-01-01", "", "~", "true", ".inf"]
)
def test_text_that_looks_like_something_else_is_read_as_text_again(tmp_path, value):
    path = tmp_path / "values.yml"
    values = {value: value, "list": [value, 1e300, 1e6, -0.25, 3, True, None]}
    path.write_text(to_yaml(values))
    assert read_yaml(path) == values == yaml.safe_load(to_yaml(values))


@pytest.mark.parametrize(
    "content",
    [
        b"{unfinished",
        b"a: \xff",
        b"a: !!python/object:object {}",
        b"a: 1\na: 2",
        b"a: {b: 1, 'b': 2}",
        b"[" * 20000,
        b"a: " + b"9" * 5000,
        b"? [a]\n: 1",
    ],
)
def test_what_is_no_yaml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "bad.yml"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=f"^model card {path} is not valid YAML: "):
        read_yaml(path, "model card", ModelError)


def test_a_file_that_is_not_there_is_refused_with_the_hint(tmp_path):
    path = tmp_path / "none.yml"
    with pytest.raises(ParameterError, match=f"^{path} cannot be read: No such file or directory; look elsewhere$"):
        read_yaml(path, hint="; look elsewhere")
