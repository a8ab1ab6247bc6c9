"""State URLs: one spelling, the one that libpq reads too, and no connection over a network that nobody checks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict

from vaultsigner.config.problems import UnusableValueError
from vaultsigner.config.state_urls import (
    parse_postgresql,
    postgresql_cautions,
    read_state_url,
    variable_that_redirects,
)

CANARY = "hunter2-canary"


def refusal(url: str) -> UnusableValueError:
    with pytest.raises(UnusableValueError) as caught:
        read_state_url(url)
    return caught.value


GOOD = [
    "postgresql:///state",
    "postgres:///state",
    "postgresql://u@/state",
    "postgresql:///state?host=/run/postgresql",
    "postgresql://%2Frun%2Fpostgresql/state",
    "postgresql://postgres:@/postgres?host=/tmp/x",
    "postgresql://u:p@127.0.0.1/state",
    "postgresql://u:p%40%2f%3a@localhost:5433/state",
    "postgresql://[::1]:5433/state",
    "postgresql://127.0.0.1:1,127.0.0.1:2/state?target_session_attrs=read-write",
    "postgresql://u@db.example.com/state?sslmode=verify-full&sslrootcert=/etc/ca.pem",
    "postgresql://u@db.example.com:5432/state?sslmode=verify-ca",
    "postgresql://u@10.0.0.7/state?sslmode=require&passfile=/run/pgpass&connect_timeout=3",
    "postgresql://u@[fd00::7]/state?sslmode=verify-full",
    "postgresql:///a%20b?application_name=x+y",
]


@pytest.mark.parametrize("url", GOOD)
def test_a_good_url_is_kept_as_it_is_and_read_as_libpq_reads_it(url: str) -> None:
    assert read_state_url(url) == url
    found, theirs = parse_postgresql(url), conninfo_to_dict(url)
    assert ",".join(found.hosts) == (theirs.get("host") or "")
    assert found.name == theirs["dbname"]
    assert found.sslmode == theirs.get("sslmode")
    assert found.password == (theirs.get("password") or "")
    assert {name: theirs[name] for name in found.parameters} == found.parameters


PIECES = (
    "a", "u:p@", "@", ":", "/", "?", "#", "%40", "%2F", "%3a", "%", ",", "[", "]", "[::1]", "=", "&", "+", "é",
    "localhost", "127.0.0.1", ":5432", "host=", "hostaddr=", "port=1", "sslmode=require", "dbname=x", "service=", "/db",
)  # fmt: skip


MIDDLES = ("", "/db", "/db?", "/db?host=", "/db?sslmode=require", "/a?port=1&user=x", "/a?host=%2Ftmp&port=")
"""With which about every eighth text is a URL."""


def texts(most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(PIECES), max_size=most).map("".join)


@settings(max_examples=2000)
@given(texts(5), st.sampled_from(MIDDLES), texts(2))
def test_whatever_is_taken_libpq_reads_alike(before: str, middle: str, after: str) -> None:
    url = f"postgresql://{before}{middle}{after}"
    try:
        found = parse_postgresql(url)
    except UnusableValueError:
        return
    theirs = conninfo_to_dict(url)
    assert ",".join(found.hosts) == (theirs.pop("host", None) or "")
    assert found.name == theirs.pop("dbname")
    assert found.password == (theirs.pop("password", None) or "")
    assert found.sslmode == theirs.get("sslmode")
    assert not theirs.keys() - {*found.parameters, "user", "port"}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u@db.example.com/state",
        "postgresql://u@10.0.0.7/state",
        "postgresql://u@127.0.0.1,10.0.0.7/state",
        "postgresql:///state?host=db.example.com",
        "postgresql:///state?host=/run,db.example.com",
        "postgresql://[fd00::1]/state",
        "postgresql://u@localhost.example.com/state",
        "postgresql://u@db.example.com/state?sslmode=prefer",
        "postgresql://u@db.example.com/state?sslmode=allow",
        "postgresql://u@db.example.com/state?sslmode=disable",
    ],
)
def test_a_database_over_a_network_that_nobody_checks_is_refused(url: str) -> None:
    problem = refusal(url)
    assert "cross the network readable" in problem.message
    assert "sslmode=verify-full" in problem.hint


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql:state", "no URL of a PostgreSQL"),
        ("postgresql://", "names no database"),
        ("postgresql://localhost", "names no database"),
        ("postgresql://localhost/", "names no database"),
        ("postgresql://localhost/a/b", "no URL of a PostgreSQL"),
        ("postgresql://u:p@ss@localhost/db", "no URL of a PostgreSQL"),
        ("postgresql://u:p/ss@localhost/db", "no URL of a PostgreSQL"),
        ("postgresql://u:p?ss@localhost/db", "names no database"),
        ("postgresql://localhost/db#x", "no URL of a PostgreSQL"),
        ("postgresql://localhost/d b", "no URL of a PostgreSQL"),
        ("postgresql://localhost/d%zzb", "no URL of a PostgreSQL"),
        ("postgresql://localhost/d%00b", "control character"),
        ("postgresql://localhost/d%ffb", "no UTF-8"),
        ("postgresql://löcal/db", "no URL of a PostgreSQL"),
        ("postgresql://localhost:0/db", "host is none"),
        ("postgresql://localhost:99999/db", "host is none"),
        ("postgresql://%40abstract/db", "host is none"),
        ("postgresql://localhost,/db", "host is none"),
        ("postgresql://[::g]/db", "host is none"),
        ("postgresql://localhost/db?host=db.example.com", "names a host twice"),
        ("postgresql://localhost/db?hostaddr=10.0.0.7", "hostaddr does not belong"),
        ("postgresql://localhost/db?service=other", "service does not belong"),
        ("postgresql://localhost/db?dbname=other", "dbname does not belong"),
        ("postgresql://localhost/db?password=x", "password does not belong"),
        ("postgresql://localhost/db?options=-c%20x", "options does not belong"),
        ("postgresql://localhost/db?sslmode=verify_full", "no such sslmode"),
        ("postgresql://localhost/db?sslmode=require&sslmode=disable", "sslmode twice"),
        ("postgresql://localhost/db?%73slmode=require", "not known here"),
        ("postgresql://localhost/db?ssl=true", "not known here"),
        ("postgresql://localhost/db?sslmode", "not known here"),
        ("postgresql://localhost/db?", None),
        ("mysql://localhost/db", "SQLite file or a PostgreSQL"),
        ("POSTGRESQL://localhost/db", "SQLite file or a PostgreSQL"),
    ],
)
def test_what_could_be_read_otherwise_is_refused(url: str, message: str | None) -> None:
    if message is None:
        assert read_state_url(url) == url
    else:
        assert message in refusal(url).message


@pytest.mark.parametrize(
    "rest",
    [
        f"u:{CANARY}@db.example.com/db",
        f"u:{CANARY}@h/db?x",
        f"u:{CANARY}@@h/db",
        f"{CANARY}@:0/db",
        f"h/db?password={CANARY}",
        f"h/db?{CANARY}=x",
        f"u:{CANARY}@h/",
        f"u:{CANARY}@h/db?sslmode={CANARY}",
    ],
)
def test_a_password_is_in_no_message(rest: str) -> None:
    problem = refusal(f"postgresql://{rest}")
    assert CANARY not in f"{problem} {problem!r} {problem.hint} {problem.__context__!r}"


def test_what_is_shown_of_a_url_holds_no_password() -> None:
    found = parse_postgresql(f"postgresql://u:{CANARY}@db.example.com/state?sslmode=verify-full")
    assert str(found) == "database state at db.example.com"
    assert CANARY not in repr(found)
    assert str(parse_postgresql("postgresql:///state")) == "database state at the local socket"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://u@h/db?sslmode=verify-full", []),
        ("postgresql://u:@h/db?sslmode=verify-full", []),
        ("postgresql://u:p@127.0.0.1/db", ["passfile="]),
        ("postgresql://u@h/db?sslmode=require", ["sslmode=require encrypts"]),
        ("postgresql://u@h/db?sslmode=verify-ca", ["verify-ca takes every machine"]),
        ("postgresql://u@127.0.0.1/db?sslmode=require", []),
        ("postgresql://u:p@h/db?sslmode=require", ["PGPASSFILE", "sslmode=require encrypts"]),
    ],
)
def test_weak_spots_are_cautions(url: str, words: list[str]) -> None:
    told = list(postgresql_cautions(url))
    assert len(told) == len(words)
    assert all(word in caution for word, caution in zip(words, told, strict=True))


@pytest.mark.parametrize(
    ("url", "environ", "variable"),
    [
        ("postgresql:///db", {"PGHOST": "db.example.com"}, "PGHOST"),
        ("postgresql://localhost/db", {"PGHOST": "db.example.com"}, None),
        ("postgresql://localhost/db", {"PGHOSTADDR": "10.0.0.7"}, "PGHOSTADDR"),
        ("postgresql://localhost/db", {"PGSERVICE": "other"}, "PGSERVICE"),
        ("postgresql:///db", {"PGHOST": "", "PGPASSFILE": "x", "PGUSER": "y"}, None),
    ],
)
def test_variables_that_say_where_the_state_lies_are_found(
    url: str, environ: dict[str, str], variable: str | None
) -> None:
    assert variable_that_redirects(url, environ) == variable
