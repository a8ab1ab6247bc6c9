"""Passwords for Amazon RDS that AWS IAM makes: one for each connection, good for a quarter of an hour.

A token is the presigned URL of the action `connect`, without its scheme (docs.aws.amazon.com/AmazonRDS/latest/UserGuide,
"IAM database authentication"). It is made here, from the task's own credentials, and asks nobody.
"""

from collections.abc import Mapping
from typing import Any

from vaultsigner.errors import StateError

_DEFAULT_PORT = 5432
_MISSING = "state.aws_iam needs boto3, which is not installed: pip install 'vaultsigner[s3]'"


class RdsTokens:
    """Makes tokens for one host, port and user.

    Args:
        place: as libpq reads it from a URL.
        region: of the database.
    """

    def __init__(self, place: Mapping[str, Any], region: str) -> None:
        self._host = str(place.get("host") or "")
        self._port = int(place.get("port") or _DEFAULT_PORT)
        self._user = str(place.get("user") or "")
        self._region = region
        self._client: Any = None

    def make(self) -> str:
        """A new one.

        Raises:
            StateError: boto3 is not installed, or there are no credentials.
        """
        try:
            from botocore.exceptions import BotoCoreError  # noqa: PLC0415 - optional: only those who use RDS need its 15 MB
        except ImportError:
            raise StateError(_MISSING) from None
        try:
            self._client = self._client or _new_client(self._region)
            token = self._client.generate_db_auth_token(
                DBHostname=self._host, Port=self._port, DBUsername=self._user
            )
        except BotoCoreError as error:
            # Its kind alone: what it says may quote credentials.
            raise StateError(f"AWS IAM gives no token for the database: {type(error).__name__}") from None
        return str(token)


def _new_client(region: str) -> Any:
    """boto3 publishes no types."""
    import boto3  # noqa: PLC0415 - optional, see `RdsTokens.make`

    return boto3.session.Session().client("rds", region_name=region)
