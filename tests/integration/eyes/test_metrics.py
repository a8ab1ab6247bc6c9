"""What Prometheus finds at a running service, and what it never finds."""

import re
import shutil
import subprocess
import threading

import pytest
import requests

from tests.adversarial.canaries import NEEDLES
from tests.adversarial.canary_desk import EVERY_ROUTE, WALLET, Desk
from tests.adversarial.desk import transfer
from tests.adversarial.memory_search import find_in, forms_of_text
from tests.exchanges import KEYS as EXCHANGE_KEYS
from tests.integration.eyes.traffic import NAMES, Scrape, every_route, hostile, scrape
from tests.integration.signed.callers import HMAC
from tests.patience import PATIENCE_SECONDS, wait_until

PROMTOOL = shutil.which("promtool")
MOST_SERIES = 6000


def ours(found: Scrape) -> set[str]:
    return {name for name in found.kinds if name.startswith("vaultsigner_")}


def test_every_route_s_request_is_counted_by_family_operation_outcome_and_rule(busy: Desk) -> None:
    found = scrape(busy.world.service)
    counted = {sample.labels["operation"] for sample in found.series("vaultsigner_requests_total")}
    assert {str(route.operation) for route in EVERY_ROUTE} == counted
    for family in ("signing", "exchange", "open_api", "partner", "control", "documents"):
        assert found.value("vaultsigner_requests_total", family=family) > 0, family
    name = "vaultsigner_requests_total"
    assert found.value(name, operation="transfer.sign", outcome="ok", rule="small") >= 1
    assert found.value(name, operation="transfer.sign", outcome="approval_required", rule="large") >= 1
    assert found.value(name, operation="vote.sign", outcome="policy_denied", rule="none") >= 1
    assert found.value("vaultsigner_decisions_total", operation="vote.sign", effect="deny", rule="none") >= 1
    assert found.value(name) == found.value("vaultsigner_request_duration_seconds_count")


def test_a_request_more_is_one_more_while_others_scrape(busy: Desk) -> None:
    token = busy.world.token("tim", "tim" * 3)
    labels = {"operation": "order.sign", "outcome": "malformed_body", "rule": "none", "family": "signing"}
    before = scrape(busy.world.service).value("vaultsigner_requests_total", **labels)
    over = threading.Event()
    seen: list[float] = []

    def watch() -> None:
        while not over.is_set():
            seen.append(scrape(busy.world.service).value("vaultsigner_requests_total", **labels))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(20):
            answer = requests.post(
                f"{busy.world.url}/api/order/sign",
                data=b"{",
                headers={"Authorization": f"Bearer {token}"},
                timeout=PATIENCE_SECONDS,
            )
            assert answer.status_code == 400
    finally:
        over.set()
        watcher.join()
    assert scrape(busy.world.service).value("vaultsigner_requests_total", **labels) == before + 20
    assert seen == sorted(seen)


def test_vault_state_record_and_custody_are_timed(busy: Desk) -> None:
    found = scrape(busy.world.service)
    for name in ("custody", "vault", "state", "audit"):
        histogram = f"vaultsigner_{name}_request_duration_seconds"
        assert found.kinds[histogram] == "histogram"
        assert found.value(f"{histogram}_count") > 0
        buckets = {sample.labels["le"] for sample in found.series(f"{histogram}_bucket")}
        assert {"0.005", "1.0", "+Inf"} <= buckets
    for operation in ("read_secret", "sign", "hmac", "find_secret"):
        assert found.value("vaultsigner_vault_requests_total", operation=operation, outcome="ok") > 0
    for question in ("sign_beacon", "authenticate", "log_in", "sign_exchange", "open_api_token"):
        assert found.value("vaultsigner_custody_request_duration_seconds_count", question=question) > 0
    for step in ("authenticate", "decide", "count", "state", "audit", "custody", "dispatch"):
        assert found.value("vaultsigner_request_step_duration_seconds_count", step=step) > 0, step


def test_limits_chains_queues_and_what_runs_are_told(busy: Desk) -> None:
    found = scrape(busy.world.service)
    limits = {sample.labels["limit"]: sample.value for sample in found.series("vaultsigner_limit_used_ratio")}
    assert set(limits) == {
        "10 requests every 3600 s per principal",
        "5000 amount every 86400 s per principal",
    }
    assert 0.1 <= limits["10 requests every 3600 s per principal"] <= 1
    assert found.value("vaultsigner_audit_chain_head") >= len(EVERY_ROUTE)
    assert found.series("vaultsigner_audit_anchor_up", anchor="second-disk")
    for name in ("state_queue_length", "audit_queue_length", "custody_requests_in_flight"):
        assert found.series(f"vaultsigner_{name}")
    (build,) = found.series("vaultsigner_build_info")
    assert set(build.labels) == {"version", "python"}
    assert found.value("vaultsigner_custody_up") == found.value("vaultsigner_ready") == 1
    assert 0 < found.value("vaultsigner_vault_token_ttl_seconds") <= 24 * 3600
    assert found.value("process_resident_memory_bytes") > 1_000_000
    assert found.value("vaultsigner_approvals_waiting") >= 1


def test_a_limit_that_fills_up_is_seen(busy: Desk) -> None:
    token = busy.world.token("tim", "tim" * 3)
    codes = [
        busy.world.ask("POST", "/api/transfer/sign", transfer(WALLET, 77), token=token).status
        for _ in range(12)
    ]
    assert codes[-1] == 429

    def fullest() -> float:
        limit = "10 requests every 3600 s per principal"
        return scrape(busy.world.service).value("vaultsigner_limit_used_ratio", rule="small", limit=limit)

    wait_until(lambda: fullest() == 1.0, "the limit is full")


def test_nothing_that_callers_send_is_in_the_metrics_nor_makes_series(busy: Desk) -> None:
    before = scrape(busy.world.service)
    assert hostile(busy) > 150
    first = scrape(busy.world.service)
    hostile(busy)
    found = scrape(busy.world.service)
    assert not find_in(found.text.encode(), NEEDLES)
    for name, secret in (("exchange", EXCHANGE_KEYS["hmac_doc"]["secret"]), ("client", HMAC.secret)):
        assert not find_in(found.text.encode(), forms_of_text(name, secret))
    values = {value for sample in found.samples for value in sample.labels.values()}
    assert not [value for value in values for name in NAMES if value.startswith(name)]
    requests_more = found.value("vaultsigner_requests_total") - before.value("vaultsigner_requests_total")
    assert requests_more > 300
    # Other ways to end are met by chance; other callers, names and paths make nothing new.
    assert len(found.samples) - len(first.samples) < 200
    assert len(found.samples) < MOST_SERIES


def test_after_all_that_every_route_is_still_counted_by_name(busy: Desk) -> None:
    every_route(busy)
    found = scrape(busy.world.service)
    assert not found.series("vaultsigner_requests_total", operation="other")
    assert not found.series("vaultsigner_requests_total", outcome="other")
    assert found.value("vaultsigner_requests_in_flight") == 0


def test_names_and_units_follow_prometheus_conventions(busy: Desk) -> None:
    found = scrape(busy.world.service)
    for name in ours(found):
        assert re.fullmatch(r"vaultsigner_[a-z][a-z0-9_]*", name)
        if found.kinds[name] == "histogram":
            assert name.endswith("_seconds")
    for sample in found.samples:
        assert all(re.fullmatch(r"[a-z_]+", label) for label in sample.labels)


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_finds_nothing_to_complain_of(busy: Desk) -> None:
    done = subprocess.run(
        [str(PROMTOOL), "check", "metrics"],
        input=scrape(busy.world.service).text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/healthz"])
def test_operations_routes_are_on_their_own_port_only(busy: Desk, path: str) -> None:
    assert requests.get(busy.world.service.ops_url + path, timeout=PATIENCE_SECONDS).status_code == 200
    for spelling in (path, f"{path}/", f"//{path[1:]}", f"/api{path}", f"/console{path}", f"/%2e{path}"):
        answer = requests.get(busy.world.url + spelling, timeout=PATIENCE_SECONDS)
        assert answer.status_code in (400, 404), spelling
        assert "vaultsigner_" not in answer.text


def test_openmetrics_is_told_to_those_who_ask_for_it(busy: Desk) -> None:
    accept = "application/openmetrics-text; version=1.0.0"
    answer = requests.get(
        f"{busy.world.service.ops_url}/metrics", headers={"Accept": accept}, timeout=PATIENCE_SECONDS
    )
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")
