"""What can be read off the service: names, numbers and labels, whoever is to be shown them. Pure.

Names follow Prometheus' conventions ("Metric and label naming"): base units, `_total` behind what only grows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from vaultsigner.telemetry.measures import Times

Kind = Literal["counter", "gauge", "histogram"]
Labels = Mapping[str, str]

NONE = "none"
"""A label's value where there is nothing to name."""
OTHER = "other"
"""A label's value for all that has none of its own."""
NO_LABELS: Labels = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sample:
    """One number, or the times of a histogram."""

    value: float | Times
    labels: Labels = field(default_factory=lambda: NO_LABELS)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric with all its series.

    Args:
        name: complete, but for the `_bucket`, `_sum` and `_count` of a histogram.
        help: what it tells, for people.
    """

    name: str
    kind: Kind
    help: str
    samples: tuple[Sample, ...]


def gauge(name: str, help_text: str, *samples: Sample) -> Metric:
    """What goes up and down."""
    return Metric(name, "gauge", help_text, samples)


def counter(name: str, help_text: str, *samples: Sample) -> Metric:
    """What only grows, from zero at the process's start. Its name ends with `_total`."""
    return Metric(name, "counter", help_text, samples)


def histogram(name: str, help_text: str, *samples: Sample) -> Metric:
    """Times. Its name ends with `_seconds`."""
    return Metric(name, "histogram", help_text, samples)


def single(value: float) -> Sample:
    """A sample without labels."""
    return Sample(float(value))
