"""Writes metrics in Prometheus' text format, with what the process itself uses."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from vaultsigner.telemetry.measures import Times
from vaultsigner.telemetry.metrics import Kind, Metric

_Made = CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily
_KINDS: Mapping[Kind, Callable[..., _Made]] = MappingProxyType(
    {"counter": CounterMetricFamily, "gauge": GaugeMetricFamily, "histogram": HistogramMetricFamily}
)


def exposition(metrics: Iterable[Metric], accept: str) -> tuple[bytes, str]:
    """All of them as text, and its media type.

    Args:
        accept: the request's header `Accept`: OpenMetrics for those who ask for it.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Read(metrics))
    ProcessCollector(registry=registry)
    try:
        encode, media_type = choose_encoder(accept)
    except (TypeError, ValueError):
        # The library compares versions that are no numbers: what nobody can read asks for nothing.
        encode, media_type = choose_encoder("")
    return encode(registry), media_type


class _Read(Collector):
    """Metrics that were read already, as the library wants them."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = tuple(metrics)

    def collect(self) -> Iterator[Family]:
        """See `Collector`."""
        return map(_family, self._metrics)


def _family(metric: Metric) -> Family:
    names = tuple(metric.samples[0].labels) if metric.samples else ()
    made: _Made = _KINDS[metric.kind](metric.name, metric.help, labels=names)
    for sample in metric.samples:
        labels, value = [sample.labels[name] for name in names], sample.value
        if isinstance(made, HistogramMetricFamily) and isinstance(value, Times):
            made.add_metric(
                labels, [(_bound(end), count) for end, count in value.up_to()], value.total_seconds
            )
        elif isinstance(made, CounterMetricFamily | GaugeMetricFamily) and not isinstance(value, Times):
            made.add_metric(labels, value)
        else:
            raise TypeError(f"{metric.name}: histograms are made of times, and of nothing else")
    return made


def _bound(seconds: float) -> str:
    return "+Inf" if seconds == float("inf") else str(seconds)
