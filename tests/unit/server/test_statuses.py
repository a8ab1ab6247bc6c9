"""Every refusal code that the program makes has a status, and an example that people can read."""

import re
from pathlib import Path

import pytest

import vaultsigner
from vaultsigner.server import statuses
from vaultsigner.server.error_examples import ERROR_EXAMPLES

CODE = re.compile(r'(?:Refusal|CustodyError|NodeError)\(\s*"([a-z_]+)"|^\s+code = "([a-z_]+)"', re.MULTILINE)
NEVER_ANSWERED = {
    *("bad_configuration", "not_protected", "rolled_back"),
    *("policy_unusable", "bad_note", "bad_checkpoint", "checkpoint_key_missing", "checkpoint_forked"),
    "too_many_chains",
    "exchange_refused",
}
"""These stop a process before it answers anything; a reload of policies or a checkpoint, which no caller waits for; and the
stand-in's own.
"""


def codes_in_the_source() -> set[str]:
    """The first argument of whatever makes a refusal; the client's own errors are nobody's answer."""
    package = Path(vaultsigner.__file__).parent
    sources = [
        path.read_text() for path in package.rglob("*.py") if not path.is_relative_to(package / "client")
    ]
    return {one or other for source in sources for one, other in CODE.findall(source)} - NEVER_ANSWERED


def test_every_code_has_a_status() -> None:
    found = codes_in_the_source()
    assert {"audit_unavailable", "malformed_body", "no_permission", "wrong_key"} <= found
    assert found <= set(statuses.STATUS_FOR_CODE)


def test_every_code_has_an_example() -> None:
    in_our_shape = {code for code in statuses.STATUS_FOR_CODE if not code.startswith("partner_")}
    assert set(ERROR_EXAMPLES) == in_our_shape - {"ok", "approval_required", "bad_question"}


@pytest.mark.parametrize(("code", "status"), [("ok", 200), ("nobody_listed_this", 500)])
def test_good_answers_and_unknown_codes(code: str, status: int) -> None:
    assert statuses.status_of(code) == status


@pytest.mark.parametrize(
    ("status", "told", "seconds"),
    [(503, None, 1), (503, 5, 5), (429, None, 1), (429, 30, 30), (400, None, None)],
)
def test_when_to_try_again(status: int, told: int | None, seconds: int | None) -> None:
    assert statuses.retry_after_seconds(status, told) == seconds
