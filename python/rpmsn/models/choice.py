# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the models that ship suits a sample rate."""

from ..classes import CLASS_NAMES
from ..signal.rates import is_rate_within
from . import DEFAULT_MODEL
from .model import available_models, load_model


def model_for_rate(sample_rate: float) -> str:
    """Name of the model made for the narrowest range of rates that holds this one; the default model where none does.

    Models that do not know all classes are for comparisons, and not chosen.

    Args:
        sample_rate: Hz.

    Example:
        >>> model_for_rate(61.44e6)
        'rpmsn-rt'
    """
    cards = {name: load_model(name).card for name in available_models()}
    ranges = {name: card.sample_rates for name, card in cards.items() if len(card.classes) == len(CLASS_NAMES)}
    fitting = [name for name, (low, high) in ranges.items() if is_rate_within(sample_rate, low, high)]
    return min(fitting, key=lambda name: ranges[name][1] / ranges[name][0], default=DEFAULT_MODEL)
