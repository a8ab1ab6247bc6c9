"""Section `telemetry`."""

from pathlib import Path

import pytest

from tests.unit.config.loading import Loading
from vaultsigner.config.problems import ConfigProblems
from vaultsigner.config.settings import TraceSettings


def test_nothing_is_followed_unless_it_is_said_where_to(loading: Loading) -> None:
    assert loading.settings("users: []").traces is None
    assert loading.settings("telemetry: {traces: null}").traces is None


def test_all_that_can_be_said_of_traces(loading: Loading) -> None:
    given = "{otlp_endpoint: 'https://otel.example:4318/', sample_percent: 5, ca_cert: /etc/ca.pem}"
    expected = TraceSettings("https://otel.example:4318", 5, Path("/etc/ca.pem"))
    assert loading.settings(f"telemetry: {{traces: {given}}}").traces == expected


@pytest.mark.parametrize(
    ("traces", "problem"),
    [
        ("{otlp_endpoint: 'http://user:word@otel:4318'}", "must not carry a user name or a password"),
        ("{otlp_endpoint: 'otel:4318'}", "this is no http or https URL"),
        ("{otlp_endpoint: 'http://otel:4318/?key=1'}", "no query and no fragment"),
        ("{otlp_endpoint: 'http://otel:4318', sample_percent: 0}", "telemetry.traces.sample_percent"),
        ("{otlp_endpoint: 'http://otel:4318', sample_percent: 101}", "telemetry.traces.sample_percent"),
        ("{otlp_endpoint: 'http://otel:4318', headers: {}}", "not known"),
        ("{}", "otlp_endpoint"),
    ],
)
def test_what_is_wrong_with_traces_is_told(loading: Loading, traces: str, problem: str) -> None:
    with pytest.raises(ConfigProblems, match=problem.replace(".", r"\.")):
        loading.settings(f"telemetry: {{traces: {traces}}}")
