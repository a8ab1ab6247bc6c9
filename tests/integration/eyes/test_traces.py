"""Traces as a collector gets them: one for each request, found by the request's id, and nothing secret in them."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.adversarial.canaries import CANARIES, NEEDLES
from tests.adversarial.canary_desk import WALLET, Desk
from tests.adversarial.desk import transfer
from tests.adversarial.memory_search import find_in, forms_of_text
from tests.exchanges import KEYS as EXCHANGE_KEYS
from tests.integration.eyes.collector import Collector, attributes, running_collector
from tests.integration.eyes.traffic import every_route, hostile, running_watched
from tests.integration.signed.callers import HMAC
from tests.patience import PATIENCE_SECONDS, wait_until
from vaultsigner.telemetry.traces import trace_id_of

WITHOUT_EXTRA = """\
import sys
sys.modules["opentelemetry.sdk"] = None
from vaultsigner.server.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with running_collector() as running:
        yield running


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> Iterator[Desk]:
    """A desk whose every request is followed."""
    with running_watched(tmp_path_factory.mktemp("traces")) as desk:
        desk.world.service.stop()
        with desk.world.installation.config_file.open("a") as file:
            file.write(f"\ntelemetry: {{traces: {{otlp_endpoint: '{collector.url}'}}}}\n")
        desk.world.service.start()
        yield desk


def trace_of(collector: Collector, request_id: str) -> list[Span]:
    """All spans of a request, once its root has come."""
    name = f"{trace_id_of(request_id):032x}"

    def whole() -> list[Span]:
        spans = collector.traces().get(name, [])
        return spans if any(not span.parent_span_id for span in spans) else []

    return wait_until(whole, "the trace has come", poll_seconds=0.1)


def root_of(spans: list[Span]) -> Span:
    (root,) = (span for span in spans if not span.parent_span_id)
    return root


def test_a_request_s_steps_are_found_by_its_id(followed: Desk, collector: Collector) -> None:
    token = followed.world.token("tim", "tim" * 3)
    answer = followed.world.ask("POST", "/api/transfer/broadcast", transfer(WALLET, 3), token=token)
    assert answer.status == 200
    spans = trace_of(collector, answer.request_id)
    root = root_of(spans)
    assert root.name == "transfer.broadcast"
    assert root.kind == Span.SPAN_KIND_SERVER
    assert attributes(root) == {
        "vaultsigner.request_id": answer.request_id,
        "vaultsigner.family": "signing",
        "vaultsigner.operation": "transfer.broadcast",
        "vaultsigner.outcome": "ok",
        "vaultsigner.rule": "small",
    }
    names = {span.name for span in spans}
    assert {"authenticate", "decide", "state", "audit", "custody sign_beacon", "dispatch broadcast"} <= names
    known = {span.span_id: span for span in spans}
    for span in spans:
        if span is not root:
            parent = known[span.parent_span_id]
            assert parent.start_time_unix_nano <= span.start_time_unix_nano
            assert span.end_time_unix_nano <= parent.end_time_unix_nano
    assert set(collector.paths) == {"/v1/traces"}


def test_a_step_within_a_step_is_shown_so(followed: Desk, collector: Collector) -> None:
    reply = followed.world.signed(HMAC, "POST", "/api/transfer/sign", document=transfer(WALLET, 4))
    assert reply.status == 200
    spans = trace_of(collector, reply.headers["X-Request-Id"])
    known = {span.span_id: span.name for span in spans}
    inside = {(span.name, known.get(span.parent_span_id)) for span in spans}
    assert ("custody authenticate", "authenticate") in inside
    assert ("state", "count") in inside
    assert ("custody sign_beacon", "transfer.sign") in inside


def test_of_a_refusal_the_code_is_told_and_only_our_own_fault_is_an_error(
    followed: Desk, collector: Collector
) -> None:
    refused = requests.post(f"{followed.world.url}/api/order/sign", data=b"{", timeout=PATIENCE_SECONDS)
    root = root_of(trace_of(collector, refused.headers["X-Request-Id"]))
    assert attributes(root)["vaultsigner.outcome"] == refused.json()["code"]
    assert root.status.code == Status.STATUS_CODE_UNSET
    followed.world.openbao.client.sys.seal()
    try:
        token = followed.world.token("tim", "tim" * 3)
        failed = followed.world.ask("POST", "/api/transfer/sign", transfer(WALLET, 5), token=token)
        assert failed.body["code"] == "vault_sealed"
        root = root_of(trace_of(collector, failed.request_id))
        assert root.status.code == Status.STATUS_CODE_ERROR
    finally:
        followed.world.openbao.unseal()


def test_what_callers_say_of_traces_changes_nothing(followed: Desk, collector: Collector) -> None:
    theirs = "00-" + "ab" * 16 + "-" + "cd" * 8 + "-01"
    answer = requests.get(
        f"{followed.world.url}/api/wallet",
        headers={"traceparent": theirs, "tracestate": f"x={CANARIES['key']}", "baggage": "a=b"},
        timeout=PATIENCE_SECONDS,
    )
    assert not root_of(trace_of(collector, answer.headers["X-Request-Id"])).parent_span_id
    assert "ab" * 16 not in collector.traces()


def test_nothing_secret_and_nothing_that_callers_send_is_in_a_trace(
    followed: Desk, collector: Collector
) -> None:
    every_route(followed)
    hostile(followed)
    last = requests.get(f"{followed.world.url}/api/wallet", timeout=PATIENCE_SECONDS)
    trace_of(collector, last.headers["X-Request-Id"])
    sent = b"".join(collector.bodies) + "".join(collector.headers).encode()
    assert len(collector.spans()) > 1000
    assert not find_in(sent, NEEDLES)
    for name, secret in (("exchange", EXCHANGE_KEYS["hmac_doc"]["secret"]), ("client", HMAC.secret)):
        assert not find_in(sent, forms_of_text(name, secret))
    for named in ("timtim", HMAC.api_key, "127.0.0.1", "binance-main", WALLET, "bot-hmac"):
        assert named.encode() not in b"".join(collector.bodies), named
    keys = {key for span in collector.spans() for key in attributes(span)}
    assert keys == {
        f"vaultsigner.{each}" for each in ("request_id", "family", "operation", "outcome", "rule")
    }
    assert not any(span.events or span.links for span in collector.spans())


def test_a_collector_that_is_away_holds_nobody_up(followed: Desk, tmp_path: Path) -> None:
    """Its port is closed: requests are served, and the service ends in order."""
    config = followed.world.installation.config_file
    text = config.read_text()
    followed.world.service.stop()
    lines = [line for line in text.splitlines() if not line.startswith("telemetry:")]
    closed = "telemetry: {traces: {otlp_endpoint: 'http://127.0.0.1:9'}}"
    try:
        config.write_text("\n".join([*lines, closed, ""]))
        followed.world.service.start()
        token = followed.world.token("tim", "tim" * 3)
        answer = followed.world.ask("POST", "/api/transfer/sign", transfer(WALLET, 6), token=token)
        assert answer.status == 200
        followed.world.service.stop()
    finally:
        config.write_text(text)
        followed.world.service.start()


def test_without_the_extra_the_start_says_so(followed: Desk, tmp_path: Path) -> None:
    config = followed.world.installation.config_file
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            WITHOUT_EXTRA,
            "--config",
            str(config),
            "--custody-socket",
            str(tmp_path / "s"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[3])},
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "telemetry.traces needs the extra otel" in done.stderr
    assert 'pip install \\"vaultsigner[otel]\\"' in done.stderr
    assert "Traceback" not in done.stderr
