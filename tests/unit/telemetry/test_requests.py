"""What requests count as, and that no caller can make up a series."""

import asyncio
from collections.abc import Mapping

import pytest

from vaultsigner.server.measuring import request_meter
from vaultsigner.server.metrics import exposition
from vaultsigner.telemetry.measures import Times
from vaultsigner.telemetry.metrics import Metric, Sample
from vaultsigner.telemetry.passages import current_passage, note_decision, step
from vaultsigner.telemetry.requests import RequestMeter

HOSTILE = ('a"} 1\nforged_total{x="', "\x00\x1b[2J", "x" * 10_000, "{}", "ü\u2028", "rule,le=+Inf", "")


def meter(most_rules: int = 3) -> RequestMeter:
    return RequestMeter(
        operations={"transfer.sign", "http.request"},
        outcomes={"ok", "policy_denied"},
        families={"signing", "none"},
        most_rules=most_rules,
    )


def count(
    measured: RequestMeter,
    family: str = "signing",
    operation: str = "transfer.sign",
    outcome: str = "ok",
    rule: str | None = None,
) -> None:
    passage = measured.begin()
    if rule is not None:
        note_decision(operation, "allow", rule)
    measured.end(passage, family, operation, outcome, failed=False)
    passage.leave()


def samples(measured: RequestMeter, name: str) -> Mapping[tuple[str, ...], float | Times]:
    (metric,) = (each for each in measured.metrics() if each.name == name)
    return {tuple(sample.labels.values()): sample.value for sample in metric.samples}


def test_a_request_counts_by_family_operation_outcome_and_rule() -> None:
    measured = meter()
    count(measured, rule="desk")
    count(measured, rule="desk")
    count(measured, outcome="policy_denied")
    assert samples(measured, "vaultsigner_requests_total") == {
        ("signing", "transfer.sign", "ok", "desk"): 2,
        ("signing", "transfer.sign", "policy_denied", "none"): 1,
    }
    times = samples(measured, "vaultsigner_request_duration_seconds")["signing", "transfer.sign"]
    assert isinstance(times, Times)
    assert times.count == 3


def test_names_that_nobody_knows_make_no_series_of_their_own() -> None:
    measured = meter()
    for hostile in HOSTILE:
        count(measured, family=hostile)
        count(measured, operation=hostile)
        count(measured, outcome=hostile)
    assert set(samples(measured, "vaultsigner_requests_total")) == {
        ("other", "transfer.sign", "ok", "none"),
        ("signing", "other", "ok", "none"),
        ("signing", "transfer.sign", "other", "none"),
    }


def test_rules_that_come_and_go_make_so_many_series_and_no_more() -> None:
    measured = meter(most_rules=3)
    for number in range(1000):
        count(measured, rule=f"rule-{number}")
    rules = {labels[-1] for labels in samples(measured, "vaultsigner_requests_total")}
    assert rules == {"rule-0", "rule-1", "rule-2", "other"}
    assert {labels[-1] for labels in samples(measured, "vaultsigner_decisions_total")} == rules
    count(measured, rule="rule-1")
    assert samples(measured, "vaultsigner_requests_total")["signing", "transfer.sign", "ok", "rule-1"] == 2


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_hostile_name_of_a_rule_stays_within_its_label(hostile: str) -> None:
    measured = request_meter({"transfer.sign"})
    count(measured, rule=hostile)
    text, _ = exposition(measured.metrics(), "application/openmetrics-text;version=a.b")  # what is no version
    lines = [line for line in text.decode().split("\n") if line and not line.startswith("#")]
    known = {metric.name for metric in measured.metrics()}
    foreign = [line for line in lines if not line.startswith(("process_", *known))]
    assert not foreign


def test_a_request_counts_once_and_is_in_flight_until_then() -> None:
    measured = meter()
    passage = measured.begin()
    assert samples(measured, "vaultsigner_requests_in_flight") == {(): 1.0}
    measured.end(passage, "signing", "transfer.sign", "ok", failed=False)
    measured.end(passage, "none", "http.request", "ok", failed=False)
    passage.leave()
    assert samples(measured, "vaultsigner_requests_in_flight") == {(): 0.0}
    assert set(samples(measured, "vaultsigner_requests_total")) == {
        ("signing", "transfer.sign", "ok", "none")
    }


async def test_a_step_counts_for_the_request_whose_task_takes_it() -> None:
    one, other = meter(), meter()

    async def serve(measured: RequestMeter, steps: int) -> None:
        passage = measured.begin()
        for _ in range(steps):
            with step("state"):
                await asyncio.sleep(0)
        measured.end(passage, "signing", "transfer.sign", "ok", failed=False)
        with step("state"):
            """Afterwards: it counts for nothing."""
        passage.leave()

    await asyncio.gather(serve(one, 3), serve(other, 1))
    for measured, expected in ((one, 3), (other, 1)):
        times = samples(measured, "vaultsigner_request_step_duration_seconds")["state",]
        assert isinstance(times, Times)
        assert times.count == expected
    assert current_passage() is None


def test_outside_a_request_nothing_is_measured() -> None:
    measured = meter()
    with step("audit"):
        note_decision("transfer.sign", "allow", "desk")
    assert samples(measured, "vaultsigner_decisions_total") == {}
    assert samples(measured, "vaultsigner_request_step_duration_seconds") == {}


def test_histograms_are_made_of_times_and_nothing_else_is() -> None:
    times = Times((0,) * 15, 0.0)
    for wrong in (
        Metric("a_seconds", "histogram", "", (Sample(1.0),)),
        Metric("b", "gauge", "", (Sample(times),)),
    ):
        with pytest.raises(TypeError, match="made of times"):
            exposition([wrong], "")
