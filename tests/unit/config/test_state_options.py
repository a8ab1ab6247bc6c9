"""What may stand beside `state.url`."""

import pytest

from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.state_options import check_state_options

RDS = "postgresql://signer@desk.rds.amazonaws.com:5432/desk?sslmode=verify-full"


def test_a_token_for_one_user_at_one_checked_host_is_good() -> None:
    check_state_options(RDS, aws_iam=True, replication="asynchronous")
    check_state_options(RDS.replace("signer@", "") + "&user=signer", aws_iam=True, replication="synchronous")


@pytest.mark.parametrize(
    ("url", "what"),
    [
        (RDS.replace("verify-full", "require"), "sslmode=verify-full"),
        (RDS.replace("?sslmode=verify-full", ""), "sslmode=verify-full"),
        (RDS.replace(":5432", ":5432,other.example:5432"), "exactly one host"),
        ("postgresql:///desk?host=/run/postgresql&user=signer&sslmode=verify-full", "exactly one host"),
        (RDS.replace("signer@", ""), "the user"),
        (RDS.replace("signer@", "signer:canary@"), "beside a password"),
        (RDS + "&passfile=/x/.pgpass", "beside a password"),
        ("sqlite:///state/vaultsigner.db", "for PostgreSQL"),
    ],
)
def test_a_token_that_could_go_astray_is_refused(url: str, what: str) -> None:
    with pytest.raises(UnusableValueError, match=what) as told:
        check_state_options(url, aws_iam=True, replication="asynchronous")
    assert "canary" not in f"{told.value}{told.value.hint}"


def test_a_file_has_no_standby() -> None:
    with pytest.raises(UnusableValueError, match="replication is for PostgreSQL"):
        check_state_options("sqlite:///state/vaultsigner.db", aws_iam=False, replication="synchronous")
