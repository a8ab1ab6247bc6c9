"""Log-in by the AWS role that custody runs with: Vault gets a signed sts:GetCallerIdentity request and sends it to AWS itself.

Source: the HTTP API of Vault ("AWS auth method": login, iam); AWS Signature Version 4.
"""

import json
import os
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass

from vaultsigner.config.vault_settings import AwsAuth
from vaultsigner.custody.vault_token.aws_credentials import AwsCredentials, find_credentials
from vaultsigner.custody.vault_token.log_in_method import LogInRequest, json_object

QUESTION = "Action=GetCallerIdentity&Version=2011-06-15"
_GLOBAL_REGION = "us-east-1"


class AwsLogIn:
    """See `log_in_method.LogInMethod`. Credentials are fetched for every log-in: they change.

    Args:
        environ: where AWS says how credentials are to be had. None of them stands there itself.
    """

    def __init__(self, auth: AwsAuth, environ: Mapping[str, str] = os.environ) -> None:
        self._auth = auth
        self._environ = environ
        self.remedy = (
            f"look whether the role `{auth.role}` at auth/{auth.mount}/ is bound to the AWS role that custody runs with, and "
            "whether server_id, region and sts_endpoint fit Vault's configuration (`vaultsigner vault setup` writes them)"
        )

    async def request(self) -> LogInRequest:
        """See `LogInMethod`."""
        auth = self._auth
        credentials = await find_credentials(self._environ, auth.sts_url)
        headers = signed_headers(auth, credentials)
        members = {
            "role": auth.role,
            "iam_http_request_method": "POST",
            "iam_request_url": _base64(f"{auth.sts_url}/"),
            "iam_request_body": _base64(QUESTION),
            "iam_request_headers": _base64(json.dumps(headers)),
        }
        return LogInRequest(f"auth/{auth.mount}/login", json_object(members))

    def offers_more(self) -> bool:
        """Fresh credentials are used when a log-in is due."""
        return False


@dataclass
class _Signable:
    """What hvac's signer reads of a request, and puts its headers into."""

    method: str
    body: str
    headers: dict[str, str]


def signed_headers(auth: AwsAuth, credentials: AwsCredentials) -> dict[str, str]:
    """The headers of a signed sts:GetCallerIdentity request, the server id among them and signed with the rest."""
    # Not at the top: nobody else in custody needs it, and it costs 0.15 s.
    from hvac.aws_utils import SigV4Auth  # noqa: PLC0415

    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "Host": auth.sts_url.partition("://")[2],
    }
    if auth.server_id is not None:
        headers["X-Vault-AWS-IAM-Server-ID"] = auth.server_id
    request = _Signable("POST", QUESTION, headers)
    signer = SigV4Auth(
        credentials.access_key_id,
        credentials.secret_access_key,
        credentials.session_token,
        auth.region or _GLOBAL_REGION,
    )
    signer.add_auth(request)
    return request.headers


def _base64(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")
