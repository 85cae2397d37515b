# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import loads, what an installation holds, and that every source file says its licence."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from limits import PROCESS_S

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "python"
SPDX = "SPDX-License-Identifier: GPL-3.0-or-later"
SHIPPED = ("python", "grc", "examples", "CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")


def run(*command, packages=None, **options):
    """Run a command without the source tree on Python's path, unless `packages` says so."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if packages is not None:
        environment["PYTHONPATH"] = str(packages)
    return subprocess.run(
        [str(part) for part in command], text=True, capture_output=True, timeout=PROCESS_S, env=environment, **options
    )


def loaded_after(statement, *names):
    """Which of the modules `names` are loaded after `statement`, in a Python of its own."""
    result = run(
        sys.executable,
        "-c",
        f"import sys\n{statement}\nprint([n for n in {names!r} if n in sys.modules])",
        packages=PACKAGES,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()[-1]


def modules(folder):
    """Paths of all Python files of both packages below `folder`."""
    return {
        str(path.relative_to(folder))
        for package in ("rpmsn", "gnuradio/rpmsn")
        for path in (folder / package).rglob("*.py")
    }


class TestImports:
    @pytest.mark.parametrize("name", ["rpmsn", "rpmsn.recording", "rpmsn.cli.main", "rpmsn.models.model"])
    def test_the_engine_loads_neither_torch_nor_gnu_radio_nor_qt(self, name):
        assert loaded_after(f"import {name}", "torch", "gnuradio", "pmt", "PyQt5", "pyqtgraph") == "[]"

    @pytest.mark.parametrize(
        "name", ["rpmsn", "rpmsn.recording", "rpmsn.cli.main", "rpmsn.signal.image", "rpmsn.synthesis"]
    )
    def test_the_engine_is_imported_where_they_are_not_installed(self, name):
        block = (
            "class Blocked:\n"
            "    def find_spec(self, name, path=None, target=None):\n"
            "        if name.split('.')[0] in ('torch', 'gnuradio', 'pmt', 'PyQt5', 'pyqtgraph'):\n"
            "            raise ModuleNotFoundError(name)\n"
            "sys.meta_path.insert(0, Blocked())\n"
        )
        assert loaded_after(f"{block}import {name}", "torch") == "[]"

    @pytest.mark.parametrize(
        "statement",
        [
            "from gnuradio import rpmsn",
            "from gnuradio import rpmsn; rpmsn.sigmf_source",
            "from gnuradio import rpmsn; rpmsn.segmenter_sink",
        ],
    )
    def test_the_blocks_load_torch_and_qt_only_when_they_need_them(self, statement):
        pytest.importorskip("gnuradio.gr")
        assert loaded_after(statement, "torch", "PyQt5", "pyqtgraph") == "[]"

    def test_the_blocks_say_that_they_need_gnu_radio_where_it_is_not_installed(self):
        result = run(
            sys.executable,
            "-c",
            "import sys\nsys.modules.update({'gnuradio.gr': None, 'pmt': None})\nfrom gnuradio import rpmsn",
            packages=PACKAGES,
        )
        assert result.returncode == 1
        last = result.stderr.splitlines()[-1]
        assert "these blocks run in GNU Radio, which this Python does not have: " in last and "gnuradio" in last

    def test_the_module_lists_its_blocks(self):
        pytest.importorskip("gnuradio.gr")
        from gnuradio import rpmsn

        names = {
            "band_scanner",
            "radio_source",
            "segmenter_sink",
            "segment_publisher",
            "sigmf_source",
            "waterfall_overlay",
        }
        assert names <= set(dir(rpmsn))
        assert set(rpmsn.__all__) == names

    def test_a_name_that_is_no_block_is_refused_by_name(self):
        pytest.importorskip("gnuradio.gr")
        from gnuradio import rpmsn

        with pytest.raises(AttributeError, match="gnuradio.rpmsn.*'nonsense'"):
            rpmsn.nonsense


def install_with_cmake(folder, python, prefix, *options, check=True):
    """Configure and install with CMake; the build folder, or with `check=False` the result of what failed."""
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    if not list(Path("/usr").glob("lib*/**/cmake/gnuradio/GnuradioConfig.cmake")):
        pytest.skip("gnuradio-dev is not installed")
    build = folder / "build"
    for command in (
        ("-S", ROOT, "-B", build, f"-DPYTHON_EXECUTABLE={python}", f"-DCMAKE_INSTALL_PREFIX={prefix}", *options),
        ("--install", build),
    ):
        result = run("cmake", *command)
        if result.returncode and not check:
            return result
        assert result.returncode == 0, result.stderr
    return build


def files(folder):
    """Paths of everything below `folder` that is no folder."""
    return {path for path in folder.rglob("*") if not path.is_dir()}


@pytest.fixture(scope="module")
def with_cmake(tmp_path_factory):
    """Prefix of an installation by CMake."""
    folder = tmp_path_factory.mktemp("cmake")
    install_with_cmake(folder, sys.executable, folder / "prefix")
    return folder / "prefix"


class TestCMake:
    def test_configuring_names_what_python_lacks_and_how_to_add_it(self, tmp_path):
        """A Python without packages, as a new environment is."""
        assert run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare").returncode == 0
        result = install_with_cmake(tmp_path, tmp_path / "bare" / "bin" / "python", tmp_path / "prefix", check=False)
        assert result.returncode == 1
        said = " ".join(result.stderr.split())
        assert "lacks Python packages that gr-rpmsn needs to run: numpy, scipy, onnxruntime" in said
        assert "bare/bin/python -m pip install numpy scipy onnxruntime" in said and "sigmf" not in said

    def test_an_environment_where_pip_has_installed_it_is_refused(self, tmp_path):
        prefix = tmp_path / "venv"
        assert run(sys.executable, "-m", "venv", "--without-pip", prefix).returncode == 0
        (packages,) = prefix.glob("lib/python3*/site-packages")
        (packages / "gr_rpmsn-0.1.0.dist-info").mkdir()
        result = install_with_cmake(
            tmp_path, prefix / "bin" / "python", prefix, "-DRPMSN_CHECK_PYTHON=OFF", check=False
        )
        assert result.returncode == 1 and "pip has installed gr-rpmsn in" in result.stderr
        assert not (packages / "rpmsn").exists()

    def packages(self, prefix):
        """Folder below `prefix` where Python's packages went."""
        (package,) = prefix.glob("lib/python3*/*-packages/rpmsn")
        return package.parent

    def test_installs_every_module_of_both_packages(self, with_cmake):
        assert modules(self.packages(with_cmake)) == modules(PACKAGES)

    def test_leaves_gnu_radios_own_package_alone(self, with_cmake):
        assert [path.name for path in (self.packages(with_cmake) / "gnuradio").iterdir()] == ["rpmsn"]

    @pytest.mark.parametrize(
        "source, target, pattern",
        [("grc", "gnuradio/grc/blocks", "*.yml"), ("examples", "gnuradio/examples/rpmsn", "*.*")],
    )
    def test_installs_block_descriptions_and_examples(self, with_cmake, source, target, pattern):
        wanted = {path.name for path in (ROOT / source).glob(pattern)}
        assert {path.name for path in (with_cmake / "share" / target).iterdir()} == wanted

    def test_installs_a_command_that_runs_what_was_installed(self, with_cmake, tmp_path):
        result = run(with_cmake / "bin" / "rpmsn", "--version", cwd=tmp_path)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("gr-rpmsn ")
        result = run(with_cmake / "bin" / "rpmsn", "doctor", cwd=tmp_path)
        assert f"{with_cmake}/share/gnuradio/grc/blocks" in result.stdout

    def test_the_blocks_installed_are_found_beside_gnu_radio(self, with_cmake):
        pytest.importorskip("gnuradio.gr")
        packages = self.packages(with_cmake)
        result = run(sys.executable, "-c", "from gnuradio import rpmsn; print(rpmsn.__file__)", packages=packages)
        assert result.stdout.startswith(str(packages)), result.stderr

    def test_uninstall_removes_every_file_it_installed_and_none_of_others(self, tmp_path):
        prefix = tmp_path / "a prefix+(1)"  # what a pattern would stumble over
        build = install_with_cmake(tmp_path, sys.executable, prefix)
        assert run(prefix / "bin" / "rpmsn", "--version", cwd=tmp_path).returncode == 0  # leaves bytecode behind
        (prefix / "share" / "mine.txt").write_text("of others")
        assert len(files(prefix)) > 200
        result = run("cmake", "--build", build, "--target", "uninstall")
        assert result.returncode == 0, result.stderr
        assert files(prefix) == {prefix / "share" / "mine.txt"}
        assert not (prefix / "lib").exists()
        again = run("cmake", "--build", build, "--target", "uninstall")
        assert again.returncode != 0
        assert "nothing was installed" in again.stdout + again.stderr

    def test_in_a_virtual_environment_its_python_finds_the_package(self, tmp_path):
        prefix = tmp_path / "venv"
        assert run(sys.executable, "-m", "venv", "--without-pip", prefix).returncode == 0
        build = install_with_cmake(tmp_path, prefix / "bin" / "python", prefix, "-DRPMSN_CHECK_PYTHON=OFF")
        result = run(prefix / "bin" / "python", "-c", "import rpmsn; print(rpmsn.__file__)", cwd=tmp_path)
        assert result.stdout.startswith(str(prefix)), result.stderr
        assert run("cmake", "--build", build, "--target", "uninstall").returncode == 0
        assert run(prefix / "bin" / "python", "-c", "import rpmsn", cwd=tmp_path).returncode != 0


@pytest.fixture(scope="module")
def with_pip(tmp_path_factory, untrained_model):
    """Folder of an installation by pip, of a copy of the tree with one more model in it."""
    pytest.importorskip("setuptools", minversion="77")
    if run(sys.executable, "-m", "pip", "--version").returncode:
        pytest.skip("this Python has no pip")
    tree, target = tmp_path_factory.mktemp("tree"), tmp_path_factory.mktemp("target")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in SHIPPED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, tree / name, ignore=unwanted)
        else:
            shutil.copy(ROOT / name, tree)
    for path in untrained_model.parent.iterdir():
        shutil.copy(path, tree / "python" / "rpmsn" / "models")
    result = run(
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
        target,
        tree,
    )
    assert result.returncode == 0, result.stderr
    return target


class TestPip:
    def test_installs_every_module_of_both_packages(self, with_pip):
        assert modules(with_pip) == modules(PACKAGES)

    def test_leaves_gnu_radios_own_package_alone(self, with_pip):
        assert [path.name for path in (with_pip / "gnuradio").iterdir()] == ["rpmsn"]

    def test_installs_models_and_training_configurations(self, with_pip):
        models = {path.name for path in (with_pip / "rpmsn/models").iterdir()}
        assert {"untrained.yml", "untrained.safetensors"} <= models
        assert (with_pip / "rpmsn/training/configs/rpmsn-rt.yml").exists()

    def test_installs_block_descriptions_that_are_found(self, with_pip, tmp_path):
        blocks = with_pip / "share" / "gnuradio" / "grc" / "blocks"
        assert {path.name for path in blocks.iterdir()} == {path.name for path in (ROOT / "grc").glob("*.yml")}
        result = run(
            sys.executable,
            "-c",
            "from rpmsn.cli import companion; print(companion.block_path())",
            packages=with_pip,
            cwd=tmp_path,
        )
        assert result.stdout == f"{blocks}\n", result.stderr

    def test_installs_a_command_that_runs(self, with_pip):
        result = run(with_pip / "bin" / "rpmsn", "--version", packages=with_pip)
        assert result.returncode == 0, result.stderr
        assert result.stdout.startswith("gr-rpmsn ")


def names(requirements):
    """Names of the packages in a list of requirements, in lower case."""
    return {re.match(r"[\w.-]+", line).group().lower() for line in requirements}


class TestStatedOnce:
    """What several files state about the package, against the one place where it is kept."""

    @pytest.fixture(scope="class")
    def project(self):
        tomllib = pytest.importorskip("tomllib")
        return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    @pytest.fixture(scope="class")
    def manifest(self):
        """What CGRAN reads: the YAML before the line of dashes."""
        yaml = pytest.importorskip("yaml")
        return yaml.safe_load((ROOT / "MANIFEST.md").read_text(encoding="utf-8").split("\n---\n")[0])

    def test_the_version_is_written_in_one_place_and_has_an_entry_in_the_changelog(self, project, manifest):
        from rpmsn import __version__

        assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)
        assert project["dynamic"] == ["version"]
        assert "version" not in manifest
        assert not (ROOT / "MANIFEST.yml").exists()
        entries = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
        assert next(entry for entry in entries if entry != "Unreleased") == __version__

    def test_the_manifest_names_the_dependencies_of_the_package(self, project, manifest):
        wanted = names(project["dependencies"])
        named = names(manifest["dependencies"])
        assert wanted | {"gnuradio", "pyqt5", "pyzmq"} == named

    def test_the_extra_all_brings_every_library_of_the_others(self, project):
        extras = project["optional-dependencies"]
        listed = {name for text in extras["all"] for name in re.search(r"\[(.+)\]", text)[1].split(",")}
        assert listed == set(extras) - {"all"}

    def test_every_library_has_an_advice_how_to_add_it(self, project):
        from rpmsn.installation import LIBRARIES

        extras = project["optional-dependencies"]
        assert {library.pypi.lower() for library in LIBRARIES.values() if not library.extra} == names(
            project["dependencies"]
        )
        for library in LIBRARIES.values():
            assert not library.extra or library.pypi.lower() in names(extras[library.extra]), library

    def test_the_package_of_debian_has_the_version_and_names_every_library_that_debian_has(self, manifest):
        from rpmsn import __version__, installation

        assert re.match(rf"gr-rpmsn \({re.escape(__version__)}-\d+\) ", (ROOT / "debian" / "changelog").read_text())
        control = (ROOT / "debian" / "control").read_text()
        needed = {one.debian for one in installation.LIBRARIES.values() if one.is_needed}
        assert needed <= set(re.findall(r"^ (python3-[\w-]+),$", control, re.MULTILINE))

    def test_the_source_distribution_takes_every_file_of_the_repository(self):
        if not shutil.which("git") or (listed := run("git", "-C", ROOT, "ls-files")).returncode:
            pytest.skip("not a git checkout")
        lines = (ROOT / "MANIFEST.in").read_text().splitlines()
        taken = {name for line in lines if line.startswith(("graft", "include")) for name in line.split()[1:]}
        added_by_setuptools = {"MANIFEST.in", "pyproject.toml"}
        assert {path.split("/")[0] for path in listed.stdout.splitlines()} - added_by_setuptools == taken

    def test_the_licence_is_the_same_everywhere(self, project, manifest):
        assert project["license"] == manifest["license"] == SPDX.split(": ")[1]


def test_every_source_file_says_its_licence_at_the_top():
    sources = [
        ROOT / "CMakeLists.txt",
        ROOT / "pyproject.toml",
        ROOT / "mkdocs.yml",
        ROOT / ".pre-commit-config.yaml",
        ROOT / "MANIFEST.in",
        ROOT / "debian" / "rules",
        *(ROOT / "cmake").iterdir(),
        *(ROOT / ".github").rglob("*.yml"),
        *(ROOT / "grc").glob("*.yml"),
        *(path for path in (ROOT / "scripts").iterdir() if path.is_file()),
    ]
    for folder in ("python", "examples", "tests", "benchmarks"):
        sources += (ROOT / folder).rglob("*.py")
    assert len(sources) > 30
    without = [
        str(path.relative_to(ROOT))
        for path in sources
        if SPDX not in "".join(path.read_text(encoding="utf-8").splitlines()[:2])
    ]
    assert without == []
