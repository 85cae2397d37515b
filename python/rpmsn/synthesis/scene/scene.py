# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes: what is on the air, and how it is received; plain numbers, stored as YAML.

A `Scene` has a list of `Emission` (who sends what, at which frequency) and a `Reception` (how strong and through which
channel each of them arrives, the noise, the receiver). `rendering` makes samples of it, and `labels` masks of those.

>>> scene = Scene(30.72e6, emissions=[Emission("lte", 5e6, {"bandwidth_hz": 10e6}), Emission("gsm", -3e6)],
...               reception=Reception([PropagationPath(20.0), PropagationPath(12.0)]))
>>> Scene.from_dict(scene.to_dict()) == scene
True
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import ParameterError, require
from ...files import read_yaml, to_yaml, whole_file
from ...version import __version__
from .. import GENERATOR, ofdm
from .. import other as others
from ..channel import fading
from ..channel.noise import Noise
from ..checking import require_number, require_whole
from ..dss import DssDownlink
from ..lte.downlink import LteDownlink
from ..lte.narrowband import NbIotDownlink
from ..lte.sidelink import LteSidelink
from ..lte.uplink import LteUplink
from ..nr.downlink import NrDownlink
from ..nr.uplink import NrUplink
from ..prach import prach
from ..receiver.receiver import Receiver
from . import recorded

BLOCK_S = 0.04
"""Scenes longer than this are rendered in blocks of it."""

CARRIERS: dict[str, Any] = {
    "lte": LteDownlink,
    "nr": NrDownlink,
    "dss": DssDownlink,
    "lte_uplink": LteUplink,
    "nr_uplink": NrUplink,
    "lte_sidelink": LteSidelink,
    "nbiot": NbIotDownlink,
}
"""Kind of emission -> class of its cell."""

BASEBANDS: dict[str, Callable[..., others.Baseband]] = {**others.KINDS, "prach": prach}
"""Kind of emission -> function that makes its samples at a rate of its own."""

RECORDED = "recorded"
"""Kind of an emission that is taken from a recording; its parameters are the arguments of `recorded.load`."""

KINDS = (*CARRIERS, *BASEBANDS, RECORDED)

SAMPLE_RATES = (1e6, 125e6)
SHORTEST_S, LONGEST_S = 1e-3, 86400.0
HIGHEST_SEED = (1 << 63) - 1


@dataclass
class Emission:
    """One transmitter.

    Args:
        kind: one of `KINDS`: a carrier, a key of `BASEBANDS`, or `recorded`.
        offset_hz: its centre relative to the receiver's; a carrier's is rounded to a whole subcarrier.
        parameters: arguments of the class or function behind the kind.
        early_s: 0..0.001; a carrier's millisecond (`start_ms` of its parameters) begins this long before the scene.
        ramp: of a carrier's symbols, see `ofdm.modulate`.
        seed: of its contents and its channel.

    Raises:
        ParameterError: no such kind, a parameter that it does not have, or a value out of range.
    """

    kind: str
    offset_hz: float = 0.0
    parameters: dict = field(default_factory=dict)
    early_s: float = 0.0
    ramp: float = 0.3
    seed: int = 0

    def __post_init__(self):
        if self.kind not in KINDS:
            raise ParameterError(f"kind of emission {self.kind!r} is unknown; choose one of {', '.join(KINDS)}")
        owner = f"emission {self.kind!r}"
        require_number(owner, "offset_hz", self.offset_hz, unit="of Hz")
        require_number(owner, "early_s", self.early_s, 0, 1e-3, "(and start_ms for more)")
        require_number(owner, "ramp", self.ramp, 0, 1, "of the cyclic prefix")
        require_whole(owner, "seed", self.seed, 0, HIGHEST_SEED)
        _mapping(self.parameters, f"parameters of {owner}")
        if self.kind in CARRIERS:
            self.cell()
        else:
            _check_names(owner, self.parameters, _arguments(self.kind))
        if self.kind == RECORDED:
            missing = [name for name in ("recording", "annotation") if name not in self.parameters]
            require(owner, "parameters", self.parameters, not missing, f"some with {' and '.join(missing)}")

    def cell(self, start_ms: int = 0) -> Any:
        """The carrier's cell as it is `start_ms` after the scene's beginning; only for the kinds in `CARRIERS`."""
        carrier = CARRIERS[self.kind]
        _check_names(f"emission {self.kind!r}", self.parameters, list(inspect.signature(carrier).parameters))
        try:
            parameters = {**self.parameters, "start_ms": self.parameters.get("start_ms", 0) + start_ms}
            return carrier(**parameters)
        except ParameterError:
            raise
        except (TypeError, ValueError, OverflowError) as error:  # such as three numbers where there have to be two
            raise ParameterError(
                f"emission {self.kind!r} has a parameter of the wrong type ({error}); give numbers "
                f"as numbers: {self.parameters}"
            ) from error

    @property
    def label(self) -> str | None:
        """Class of the transmission; None for a recorded one, which has that of its annotation."""
        if self.kind == RECORDED:
            return None
        if self.kind == "prach":
            return str(self.parameters.get("technology", "LTE"))
        if self.kind == "nbiot":
            return "LTE" if self.parameters.get("mode") == "inband" else "other"
        if self.kind in CARRIERS:
            return "NR" if self.kind.startswith("nr") else "LTE"
        return "other"

    def baseband(self, duration_s: float, rng: np.random.Generator, start_s: float = 0.0) -> others.Baseband:
        """A chunk of the transmission as an `others.Baseband`; only for the kinds that are not in `CARRIERS`."""
        if self.kind == RECORDED:
            return recorded.load(**self.parameters, duration_s=duration_s, start_s=start_s)
        try:
            return BASEBANDS[self.kind](duration_s, rng, start_s, **self.parameters)
        except ParameterError:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise ParameterError(
                f"emission {self.kind!r} has a parameter of the wrong type ({error}): {self.parameters}"
            ) from error


@dataclass
class PropagationPath:
    """The channel from one emission to the receiver.

    Args:
        power_db: power per hertz of its occupied band, at full load, over that of the noise, dB.
        channel: None, or profile, doppler_hz and delay_spread_s as in `fading.gains`.

    Raises:
        ParameterError: a value is out of range.
    """

    power_db: float = 20.0
    channel: dict | None = None

    def __post_init__(self):
        require_number("a path", "power_db", self.power_db, -100, 200, "dB")
        if self.channel is not None:
            fading.check(self.channel)


@dataclass
class Reception:
    """How what is on the air is received.

    Args:
        paths: one for each emission, in their order; a shorter list is filled with default paths.
        receiver: `Receiver`.
        noise: `Noise`; None for a recording made without a radio, such as an encoder's output.
    """

    paths: list[PropagationPath] = field(default_factory=list)
    receiver: Receiver = field(default_factory=Receiver)
    noise: Noise | None = field(default_factory=Noise)


@dataclass
class Scene:
    """What is on the air and how it is received.

    Args:
        sample_rate: Hz, 1e6 to 125e6; a multiple of the subcarrier spacings in use (or of a third of them).
        duration_s: whole milliseconds.
        seed: of noise and receiver.
        emissions: list of `Emission`.
        reception: `Reception`.

    Raises:
        ParameterError: the rate or the duration is out of range, or there are more paths than emissions.
    """

    sample_rate: float
    duration_s: float = BLOCK_S
    seed: int = 0
    emissions: list[Emission] = field(default_factory=list)
    reception: Reception = field(default_factory=Reception)

    def __post_init__(self):
        require_number("a scene", "sample_rate", self.sample_rate, *SAMPLE_RATES, "Hz")
        require_number("a scene", "duration_s", self.duration_s, SHORTEST_S, LONGEST_S, "s")
        is_whole = abs(self.duration_s * 1e3 - round(self.duration_s * 1e3)) < 1e-6
        require("a scene", "duration_s", self.duration_s, is_whole, "whole milliseconds")
        require_whole("a scene", "seed", self.seed, 0, HIGHEST_SEED)
        paths = self.reception.paths
        require(
            "a scene",
            "paths",
            len(paths),
            len(paths) <= len(self.emissions),
            f"one path an emission, {len(self.emissions)} here",
        )
        self.reception.paths = [*paths, *(PropagationPath() for _ in self.emissions[len(paths) :])]
        for emission in self.emissions:
            if emission.kind in CARRIERS:
                ofdm.oversampling(self.sample_rate, emission.cell().subcarrier_spacing)

    def to_dict(self) -> dict[str, Any]:
        """As plain dictionaries, lists and numbers."""
        return plain(asdict(self))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Scene":
        """The scene that `to_dict` wrote.

        Raises:
            ParameterError: a key is none of a scene's, or a value is out of range.
        """
        values = _mapping(values, "a scene")
        emissions = [_build(Emission, emission) for emission in values.get("emissions") or []]
        return _build(cls, {**values, "emissions": emissions, "reception": _reception(values.get("reception") or {})})

    def save(self, path: str | Path) -> None:
        """Write the scene as YAML, whole or not at all."""
        origin = f"# gr-rpmsn {__version__}, generator {GENERATOR}\n"
        with whole_file(path) as file:
            file.write((origin + to_yaml(self.to_dict(), width=120)).encode())

    @classmethod
    def load(cls, path: str | Path) -> "Scene":
        """Read a scene from a YAML file.

        Raises:
            ParameterError: the file cannot be read, is not YAML, or describes no valid scene; names the file.
        """
        values = read_yaml(path, "scene")
        try:
            scene = cls.from_dict(values)
            for emission in scene.emissions:
                if emission.kind not in CARRIERS:
                    # A millisecond of it, so that its parameters are checked before work begins.
                    emission.baseband(SHORTEST_S, generator(emission.seed, "contents"))
            return scene
        except ParameterError as error:
            raise ParameterError(f"scene {path}: {error}") from error


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """A random generator that depends on nothing but its arguments."""
    return np.random.default_rng(np.random.SeedSequence([seed, *purpose.encode(), index]))


def plain(value: Any) -> Any:
    """numpy scalars and tuples -> Python numbers and lists, recursively."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    return value.item() if isinstance(value, np.generic) else value


def rounded(value: Any, digits: int = 6) -> Any:
    """Every float of a plain value rounded to this many significant digits, recursively.

    Functions such as the logarithm differ in their last bits between machines; a rounded scene does not.
    """
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item, digits) for item in value]
    return float(f"{value:.{digits}g}") if isinstance(value, float) else value


def _reception(values):
    values = _mapping(values, "reception")
    paths = [_build(PropagationPath, path) for path in values.get("paths") or []]
    receiver = _build(Receiver, values.get("receiver") or {})
    noise = values.get("noise", {})
    return _build(
        Reception,
        {**values, "paths": paths, "receiver": receiver, "noise": None if noise is None else _build(Noise, noise)},
    )


def _build(cls, values):
    """Make a dataclass of a mapping whose keys have to be its fields."""
    _check_names(cls.__name__, _mapping(values, cls.__name__), [item.name for item in fields(cls)])
    try:
        return cls(**values)
    except ParameterError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise ParameterError(f"{cls.__name__} cannot be built from {values}: {error}") from error


def _mapping(values, what):
    if not isinstance(values, dict):
        raise ParameterError(f"{what} is {values!r}, but a mapping of keys to values is needed")
    return values


def _check_names(owner, given, known):
    unknown = sorted(str(name) for name in given if name not in known)
    if unknown:
        raise ParameterError(f"{owner} has no {', '.join(unknown)}; choose of {', '.join(known)}")


def _arguments(kind):
    """Names of the parameters that an emission which is no carrier can have."""
    if kind == RECORDED:
        return recorded.PARAMETERS
    return [
        name for name in inspect.signature(BASEBANDS[kind]).parameters if name not in ("duration_s", "rng", "start_s")
    ]
