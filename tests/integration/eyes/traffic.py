"""A desk under the eyes of Prometheus: one good request for every route, and bad ones with secrets in all places."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import requests
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.adversarial.canaries import BROKEN, CANARIES, HEADERS, with_canary
from tests.adversarial.canary_desk import (
    EVERY_ROUTE,
    EVERYBODY,
    JSON,
    Desk,
    Served,
    running_everything,
    served,
)
from tests.adversarial.raw_http import exchange
from tests.patience import PATIENCE_SECONDS
from tests.signing_client import SignedCall
from vaultsigner.dev.service import Service

POLICY = """\
version: 1
rules:
  - id: small
    effect: allow
    when: {amount: {max: "1000"}}
    operations: [transfer.*]
    limits:
      - {count: 10, every: 1h, per: principal}
      - {sum: amount, max: "5000", every: 1d}
  - id: large
    effect: allow
    operations: [transfer.*]
    when: {amount: {above: "1000"}}
    approvals: {count: 1, of: ["user:olga"], within: 1h}
  - id: all-else
    effect: allow
    operations: ["order.*", "cancel_order.*", "freeze.*", "unfreeze.*", "open_api.*", "exchange.*"]
  - id: streams
    effect: allow
    operations: [exchange.user_stream]
"""
"""Nothing lets anybody vote."""
THOROUGHLY = ("transfer.sign", "exchange.sign")
SLOW = ("Expect", "Transfer-Encoding")
"""Headers that keep the service waiting for a body."""
NAMES = ("tim", "olga", "ann", "bot-", "spare", "vs_")
"""Of people and clients, and what API keys begin with."""


@dataclass(frozen=True)
class Scrape:
    """What /metrics told once."""

    text: str
    samples: tuple[Sample, ...]
    kinds: Mapping[str, str]

    def value(self, metric: str, /, **labels: str) -> float:
        """The sum of all series with these labels, whatever others they have."""
        return sum(sample.value for sample in self.series(metric, **labels))

    def series(self, metric: str, /, **labels: str) -> list[Sample]:
        """All that have these labels."""
        return [
            sample
            for sample in self.samples
            if sample.name == metric and labels.items() <= sample.labels.items()
        ]

    def labels(self) -> Mapping[str, frozenset[str]]:
        """Of each metric the names of its labels."""
        return {sample.name: frozenset(sample.labels) for sample in self.samples}


def scrape(service: Service) -> Scrape:
    """Fetch them as Prometheus does."""
    answer = requests.get(f"{service.ops_url}/metrics", timeout=PATIENCE_SECONDS)
    assert answer.status_code == 200, answer.text
    families = list(text_string_to_metric_families(answer.text))
    samples = tuple(sample for family in families for sample in family.samples)
    return Scrape(answer.text, samples, {family.name: family.type for family in families})


@contextmanager
def running_watched(directory: Path) -> Iterator[Desk]:
    """A desk with all that can be measured: anchors and limits, too."""
    anchors = directory / "anchors"
    anchors.mkdir()
    audit = {"anchors": [{"name": "second-disk", "directory": str(anchors)}]}
    with running_everything(directory, policy=POLICY, audit=audit) as desk:
        yield desk


def every_route(desk: Desk) -> None:
    """One request that is served, for each route."""
    for route in EVERY_ROUTE:
        good = served(desk, route)
        exchange(desk.world.url, desk.dressed(good.call(), good.who).as_bytes("desk"))
        desk.resume_everything()


def hostile(desk: Desk) -> int:
    """Secrets where secrets do not belong, in requests to every route; how many were sent."""
    canaries, everybody, sent = cycle(CANARIES.values()), cycle(EVERYBODY), 0
    for route in EVERY_ROUTE:
        good = served(desk, route)
        for call in _spoiled(good, next(canaries)):
            sent += _send(desk, call, next(everybody))
        desk.resume_everything()
    return sent


def _spoiled(good: Served, canary: str) -> Iterator[SignedCall]:
    call = good.call()
    for name in good.variables:
        yield good.call(variables={name: canary})
    yield good.call(query={**good.query, canary: canary})
    yield from islice((good.call(document=body) for body in with_canary(good.document or {}, canary)), 2)
    yield replace(call, path=f"{call.path}/{canary.replace(' ', '-')}")
    if good.route.operation in THOROUGHLY:
        for line in HEADERS:
            name, _, value = line.format(canary).partition(":")
            if name not in SLOW:
                yield replace(call, headers={**call.headers, name: value.strip()})
        for template in BROKEN:
            body = template.format(canary).encode("utf-8", "surrogatepass")
            yield replace(call, headers={"Content-Type": JSON}, body=body)
        yield replace(call, method=canary[:8].upper().replace(".", ""), path=f"/{canary}")


def _send(desk: Desk, call: SignedCall, who: str) -> int:
    try:
        exchange(desk.world.url, desk.dressed(call, who).as_bytes("desk"))
    except (EOFError, ConnectionError, UnicodeEncodeError):
        return 0
    return 1
