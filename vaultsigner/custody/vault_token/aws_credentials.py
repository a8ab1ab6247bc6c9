"""The credentials of the AWS role that custody runs with: of its pod, its task or its machine, in the order of AWS's own tools.

Each lives for hours at most. Keys in the environment and in files are not looked for: they do not end.

Source: AWS SDKs and Tools Reference Guide ("Container credential provider", "IMDS credential provider", "Assume role credential
provider"); Amazon EC2 User Guide (IMDSv2); STS API Reference (AssumeRoleWithWebIdentity).
"""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlencode, urlsplit

from vaultsigner.config.addresses import is_loopback
from vaultsigner.custody.json_scan import JsonScanError, find, has_escapes, text_of
from vaultsigner.custody.vault.dial_trouble import short_reason
from vaultsigner.custody.vault.single_exchange import NoAnswerError, Place, ask_once
from vaultsigner.custody.vault_token.log_in_method import LogInError
from vaultsigner.custody.vault_token.secret_file import read_word
from vaultsigner.custody.wiping import wipe

_TASK_HOST = "http://169.254.170.2"
_METADATA = "http://169.254.169.254"
_LOCAL_HOSTS = frozenset(
    {"169.254.170.2", "169.254.170.23", "fd00:ec2::23", "169.254.169.254", "fd00:ec2::254"}
)
"""Of the task, the pod and the machine: what is sent there in the clear does not leave the machine."""
_LONGEST_TOKEN = 16_384
_SECONDS = 2.0
_TARGET = re.compile(r"/[!-~]{0,2047}")
_ROLE_NAME = re.compile(rb"[A-Za-z0-9+=,.@_-]{1,128}")
_SAFE = re.compile(r"[!-~]{1,8192}")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AwsCredentials:
    """What requests to AWS are signed with."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)


async def find_credentials(environ: Mapping[str, str], sts: str) -> AwsCredentials:
    """The credentials that this process is given.

    Args:
        environ: where AWS says how they are to be had.
        sts: base URL of STS, for pods that show a web identity.

    Raises:
        LogInError: there are none.
        NoAnswerError: whoever should give them does not answer.
    """
    if environ.get("AWS_WEB_IDENTITY_TOKEN_FILE") and environ.get("AWS_ROLE_ARN"):
        return await _of_web_identity(environ, sts)
    relative = environ.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")
    full = f"{_TASK_HOST}{relative}" if relative else environ.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
    if full:
        return await _of_container(full, environ.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"))
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        raise LogInError(
            "there are no AWS credentials: neither a pod's nor a task's, and the machine's are switched off"
        )
    return await _of_machine(environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _METADATA)


async def _of_container(url: str, token_file: str | None) -> AwsCredentials:
    """Of an ECS task, or of a pod with EKS Pod Identity, which has to show a token."""
    base, path = _local(url, "the address of the container's AWS credentials")
    token = _read(Path(token_file), "the container's token for AWS") if token_file else None
    try:
        return await _get(base, path, _credentials_in, b"Authorization: " if token else b"", token)
    finally:
        if token is not None:
            wipe(token)


async def _of_machine(url: str) -> AwsCredentials:
    """Of an EC2 instance, by IMDSv2: a token first, which a request that somebody else's page makes cannot get."""
    base, _ = _local(url.rstrip("/"), "the address of the machine's metadata")
    wanted = b"X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n"
    token = await _ask(base, _request("PUT", base, "/latest/api/token", wanted), _word_in, _SECONDS)
    try:
        place = "/latest/meta-data/iam/security-credentials/"
        header = b"X-aws-ec2-metadata-token: "
        role = await _get(base, place, _role_in, header, token)
        return await _get(base, f"{place}{role}", _credentials_in, header, token)
    finally:
        wipe(token)


async def _of_web_identity(environ: Mapping[str, str], sts: str) -> AwsCredentials:
    """Of a pod with a service account's token (IAM roles for service accounts)."""
    jwt = _read(Path(environ["AWS_WEB_IDENTITY_TOKEN_FILE"]), "the web identity token")
    question = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": environ["AWS_ROLE_ARN"],
        "RoleSessionName": environ.get("AWS_ROLE_SESSION_NAME") or "vaultsigner",
    }
    try:
        # Base64 with dots needs no encoding; anything else is no token.
        if re.fullmatch(rb"[A-Za-z0-9._=-]+", jwt) is None:
            raise LogInError("the web identity token of AWS is none")
        body = bytearray().join((urlencode(question).encode(), b"&WebIdentityToken=", jwt))
    finally:
        wipe(jwt)
    head = b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n" % len(body)
    request = bytearray().join((_request("POST", sts, "/", head), body))
    wipe(body)
    return await _ask(sts, request, _credentials_in_xml)


async def _get(
    base: str, path: str, read: Callable[[memoryview], T], header: bytes, secret: bytearray | None
) -> T:
    line = bytearray().join((header, secret, b"\r\n")) if secret else bytearray()
    request = _request("GET", base, path, line)
    wipe(line)
    return await _ask(base, request, read, _SECONDS)


def _request(method: str, base: str, path: str, lines: bytes | bytearray) -> bytearray:
    head = f"{method} {path} HTTP/1.1\r\nHost: {urlsplit(base).netloc}\r\nAccept: */*\r\n".encode("ascii")
    return bytearray().join((head, lines, b"\r\n"))


async def _ask(base: str, request: bytearray, read: Callable[[memoryview], T], seconds: float = 5.0) -> T:
    parts = urlsplit(base)
    secure = parts.scheme == "https"
    place = Place(
        parts.hostname or "",
        parts.port or (443 if secure else 80),
        ssl.create_default_context() if secure else None,
    )

    def take(status: int, body: memoryview) -> T:
        if status != HTTPStatus.OK:
            raise NoAnswerError(f"AWS credentials are not to be had from {base}: it answered {status}")
        return read(body)

    try:
        return await ask_once(
            place, request, take, lambda error, _: f"no connection ({short_reason(error)})", seconds
        )
    except NoAnswerError as error:
        reason = str(error)
        if reason.startswith("AWS "):
            raise
        raise NoAnswerError(f"AWS credentials are not to be had from {base}: {reason}") from None


def _local(url: str, what: str) -> tuple[str, str]:
    """Base and path of an address that the environment gave: a place of this machine's, or https."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise LogInError(f"{what} is none") from None
    near = parts.scheme == "http" and (host in _LOCAL_HOSTS or is_loopback(host))
    if "@" in parts.netloc or not host or not (near or parts.scheme == "https"):
        raise LogInError(f"{what} must be one of this machine's, or https")
    path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    if not _TARGET.fullmatch(path) or not _SAFE.fullmatch(parts.netloc):
        raise LogInError(f"{what} is none")
    return f"{parts.scheme}://{parts.netloc}", path


def _read(path: Path, what: str) -> bytearray:
    try:
        found = read_word(path, _LONGEST_TOKEN)
    except OSError as error:
        raise LogInError(f"{what} in {path} cannot be read ({error.strerror})") from None
    if found is None:
        raise LogInError(f"{what} is not in {path}")
    return found


def _word_in(body: memoryview) -> bytearray:
    word = bytearray(body)
    if re.fullmatch(rb"[!-~]{1,1024}", word) is None:
        raise NoAnswerError("its answer makes no sense")
    return word


def _role_in(body: memoryview) -> str:
    found = _ROLE_NAME.fullmatch(bytes(body).strip())
    if found is None:
        raise NoAnswerError("the machine has no role")
    return quote(found[0].decode("ascii"))


def _credentials_in(body: memoryview) -> AwsCredentials:
    names = ("AccessKeyId", "SecretAccessKey", "Token")
    try:
        found = find(body, dict.fromkeys(names))
    except JsonScanError:
        raise NoAnswerError("its answer makes no sense") from None
    return AwsCredentials(*(_text(body, found.get((name,), (0, 0))) for name in names))


def _text(body: memoryview, span: tuple[int, int]) -> str:
    inside = text_of(body, span)
    if inside is None:
        raise NoAnswerError("its answer holds no credentials")
    written = body[slice(*inside)]
    # Some write the slashes of base64 as \/, which JSON allows.
    text = (
        str(written, "ascii", "replace").replace("\\/", "/")
        if has_escapes(written)
        else str(written, "ascii", "replace")
    )
    if _SAFE.fullmatch(text) is None or "\\" in text:
        raise NoAnswerError("its answer holds no credentials")
    return text


def _credentials_in_xml(body: memoryview) -> AwsCredentials:
    found = []
    for name in (b"AccessKeyId", b"SecretAccessKey", b"SessionToken"):
        values = re.findall(rb"<%s>\s*([A-Za-z0-9+/=._-]{1,8192})\s*</%s>" % (name, name), body)
        if len(values) != 1:
            raise NoAnswerError("its answer holds no credentials")
        found.append(values[0].decode("ascii"))
    return AwsCredentials(*found)
