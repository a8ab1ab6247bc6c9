"""Where the state lies: an SQLite file or a PostgreSQL database, in one spelling only.

libpq takes settings from many places, and what is read here must be what it connects to: parameters that name another place
(`service`, `hostaddr`) or that are not known are refused. Grammar: PostgreSQL documentation, "Connection URIs". The URL may hold
a password, so no message repeats any of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import unquote_to_bytes

from vaultsigner.config.addresses import is_loopback
from vaultsigner.config.problems import UnusableValueError, suggestion

_POSTGRESQL = re.compile(
    r"postgres(?:ql)?://"
    r"(?:(?P<user>[^:@/?#\[\]]*)(?P<password>:[^@/?#]*)?@)?"
    r"(?P<hosts>[^@/?#]*)"
    r"(?:/(?P<name>[^/?#]*))?"
    r"(?:\?(?P<parameters>[^?#]*))?"
)
_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^:\[\]]*))(?::(?P<port>[0-9]{1,5}))?")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?")
_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
_PARAMETERS = (
    "host", "port", "user", "passfile", "sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "ssl_min_protocol_version",
    "channel_binding", "connect_timeout", "target_session_attrs", "application_name",
)  # fmt: skip
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_EXAMPLE = "postgresql://vaultsigner@db.example.com/vaultsigner?sslmode=verify-full"
_ELSEWHERE = {
    "service": "write host, database and user into the URL",
    "hostaddr": "write the host into the URL, as it stands in the server's certificate",
    "dbname": "write the database behind the host: postgresql://host/database",
    "password": "write `passfile=/path/of/a/.pgpass`, which only the service can read",
    "sslpassword": "use a key file that only the service can read, without a password",
    "options": "settings of the session are the service's own",
}


@dataclass(frozen=True, slots=True)
class PostgresqlUrl:
    """What a URL of a PostgreSQL database says, as far as others need to look at it.

    Args:
        hosts: names, addresses or socket directories; empty where libpq's own default counts.
        name: of the database.
        sslmode: None where it is left out.
        password: that the URL itself carries; empty where it carries none.
        parameters: what stands behind the question mark, decoded.
        user: empty where it is left out.
    """

    hosts: tuple[str, ...]
    name: str
    sslmode: str | None
    password: str = field(repr=False)
    parameters: Mapping[str, str]
    user: str = ""

    @property
    def stays_here(self) -> bool:
        """Whether nothing crosses a network."""
        return all(host.startswith("/") or is_loopback(host) for host in self.hosts)

    def __str__(self) -> str:
        """For messages: the database and its hosts."""
        return f"database {self.name} at {', '.join(self.hosts) or 'the local socket'}"


def is_postgresql(url: str) -> bool:
    """Whether a state URL means a PostgreSQL database."""
    return url.startswith(("postgresql:", "postgres:"))


def read_state_url(text: str) -> str:
    """`sqlite:///path` or `postgresql://[user[:password]@][host[:port]]/database[?name=value&...]`.

    Raises:
        UnusableValueError: for anything else, and for a database over a network whose connection nobody would check.
    """
    if is_postgresql(text):
        _check_postgresql(parse_postgresql(text))
        return text
    path = text.removeprefix("sqlite:///")
    if path == text or not path or path.endswith("/") or re.search(r"[?#%\s]|:memory:", path):
        hint = f"write sqlite:///relative/path.db, sqlite:////absolute/path.db, or {_EXAMPLE}"
        raise UnusableValueError("this is no URL of an SQLite file or a PostgreSQL database", hint)
    return text


def parse_postgresql(text: str) -> PostgresqlUrl:
    """What a PostgreSQL URL says.

    Raises:
        UnusableValueError: it can be read in more than one way, or not at all.
    """
    match = _POSTGRESQL.fullmatch(text)
    if match is None or not text.isascii() or not text.isprintable() or " " in text or _PERCENT.search(text):
        hint = f"write it like {_EXAMPLE}; in a user or a password, write every sign but letters and digits as %XX"
        raise UnusableValueError("this is no URL of a PostgreSQL database", hint)
    name = _decoded(match["name"] or "")
    if not name:
        raise UnusableValueError("the URL names no database", f"write it like {_EXAMPLE}")
    user = _decoded(match["user"] or "")
    password = _decoded((match["password"] or "").removeprefix(":"))
    hosts = tuple(_hosts(match["hosts"]))
    parameters = _parameters(match["parameters"] or "")
    if "host" in parameters:
        if hosts:
            raise UnusableValueError("the URL names a host twice", "keep one of the two")
        hosts = tuple(_checked_host(host) for host in parameters["host"].split(","))
    sslmode = parameters.get("sslmode")
    if sslmode is not None and sslmode not in _MODES:
        raise UnusableValueError("there is no such sslmode", suggestion(sslmode, _MODES))
    return PostgresqlUrl(hosts, name, sslmode, password, parameters, parameters.get("user", user))


def postgresql_cautions(url: str) -> Iterator[str]:
    """What works and should be looked at, in a line each."""
    found = parse_postgresql(url)
    if found.password:
        yield (
            "state.url: a password stands in it, and so in a file or an environment; take it out and add "
            "passfile=/path/of/a/.pgpass (chmod 600), or set PGPASSFILE"
        )
    if not found.stays_here and found.sslmode == "require":
        yield (
            "state.url: sslmode=require encrypts, but whoever stands in between can play the database; "
            "write sslmode=verify-full and sslrootcert=/path/of/the/authority.pem"
        )
    elif not found.stays_here and found.sslmode == "verify-ca":
        yield "state.url: sslmode=verify-ca takes every machine that the authority has certified; write sslmode=verify-full"


def variable_that_redirects(url: str, environ: Mapping[str, str]) -> str | None:
    """The environment variable of libpq, if there is one, that would say where the state lies instead of the URL."""
    names = ["PGHOSTADDR", "PGSERVICE"]
    if not parse_postgresql(url).hosts:
        names.append("PGHOST")
    return next((name for name in names if environ.get(name)), None)


def _check_postgresql(url: PostgresqlUrl) -> None:
    if url.stays_here or url.sslmode in ("require", "verify-ca", "verify-full"):
        return
    what = "is left out" if url.sslmode is None else f"is {url.sslmode}"
    message = f"sslmode {what}: the state would cross the network readable, and whoever stands in between could forge it"
    raise UnusableValueError(message, "add ?sslmode=verify-full, and sslrootcert=/path/of/the/authority.pem")


def _hosts(text: str) -> Iterator[str]:
    if not text:
        return
    for part in text.split(","):
        match = _HOST.fullmatch(part)
        if match is None or int(match["port"] or "1") not in range(1, 65_536):
            raise UnusableValueError("this URL's host is none", f"write it like {_EXAMPLE}")
        host = match["six"] or _decoded(match["host"] or "")
        if not host and "," not in text:
            return
        yield _checked_host(host)


def _checked_host(host: str) -> str:
    """A name, an address, or an absolute directory: what libpq would look for as such."""
    if host.startswith("/") or _HOST_NAME.fullmatch(host):
        return host
    try:
        return str(ip_address(host))
    except ValueError:
        hint = (
            f"write it like {_EXAMPLE}, or a socket's directory: postgresql:///database?host=/run/postgresql"
        )
        raise UnusableValueError("this URL's host is none", hint) from None


def _parameters(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split("&") if text else ():
        name, equals, value = part.partition("=")
        if name in _ELSEWHERE:
            raise UnusableValueError(f"the parameter {name} does not belong into this URL", _ELSEWHERE[name])
        if name not in _PARAMETERS or not equals or "=" in value:
            raise UnusableValueError(
                "the URL has a parameter that is not known here", suggestion(name, _PARAMETERS)
            )
        if name in found:
            raise UnusableValueError(f"the URL has the parameter {name} twice", "keep one of the two")
        found[name] = _decoded(value)
    return found


def _decoded(text: str) -> str:
    """Percent-decoded, as libpq does it: a plus sign is a plus sign."""
    try:
        decoded = unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise UnusableValueError("the URL holds what is no UTF-8", f"write it like {_EXAMPLE}") from None
    if not decoded.isprintable():
        raise UnusableValueError("the URL holds a control character", f"write it like {_EXAMPLE}")
    return decoded
