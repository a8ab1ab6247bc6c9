"""One call to the Open API, as a token covers it. Pure.

Source: Binance Mini Program, "Description of External Interface Signature Authentication Algorithm" and "Get open data".
"""

import hashlib
import re
from dataclasses import dataclass, field
from urllib.parse import quote

from vaultsigner.errors import VaultsignerError

LONGEST_TEXT = 16 * 1024
"""Of a path or a query."""
LONGEST_BODY = 64 * 1024
TOKEN_HEADER = "X-Mp-Open-Api-Token"  # noqa: S105 - a header's name, not a secret

_METHOD = re.compile(r"[A-Z]{1,16}")
_PATH = re.compile(r"/[!-\"$->@-~]*")
_QUERY = re.compile(r"[!-\"$-~]*")


class OpenApiCallError(VaultsignerError):
    """This is no call that a token could be made for; the text names the member and says what belongs there."""

    code = "invalid_fields"

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member


@dataclass(frozen=True, slots=True)
class OpenApiCall:
    """A call as it is to be sent. The token covers these texts byte for byte.

    Args:
        method: in capitals.
        path: begins with a slash; percent-encoded.
        query: what follows the question mark; percent-encoded, may be empty.
        body: as it is to be sent; may be empty.

    Raises:
        OpenApiCallError: a blank, a line end or what HTTP would not carry in that place: one text could stand for two calls then.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        """See the class."""
        if not _METHOD.fullmatch(self.method):
            raise OpenApiCallError("method", "write an HTTP method in capitals, like GET")
        if not _PATH.fullmatch(self.path) or len(self.path) > LONGEST_TEXT:
            message = "write the path from its first slash on, percent-encoded, without query and fragment"
            raise OpenApiCallError("path", message)
        if not _QUERY.fullmatch(self.query) or len(self.query) > LONGEST_TEXT:
            message = "write what follows the question mark, percent-encoded: no blanks, no #"
            raise OpenApiCallError("query", message)
        if len(self.body) > LONGEST_BODY:
            raise OpenApiCallError("body", f"a body has at most {LONGEST_BODY} bytes")

    @property
    def endpoint(self) -> str:
        """As policies name it: `GET /mp-api/v1/apps/1234/access-token`."""
        return f"{self.method} {self.path}"

    @property
    def digest(self) -> bytes:
        """Equal for equal calls alone: none of the first three texts can hold a line end."""
        head = f"{self.method}\n{self.path}\n{self.query}\n".encode("ascii")
        return hashlib.sha256(head + self.body).digest()


def user_data_call(app_id: str, open_data: str) -> OpenApiCall:
    """The call that fetches what a user has agreed to share with a mini-program.

    The published script signs the path with this closing slash, and calls the address without it: see `user_data_target`.

    Args:
        open_data: the token that the mini-program got for it.
    """
    return OpenApiCall("GET", f"/mp-api/v1/apps/{quote(app_id, safe='')}/user-open-data/", _query(open_data))


def user_data_target(app_id: str, open_data: str) -> str:
    """What stands in the request line of that call: path and query."""
    return f"/mp-api/v1/apps/{quote(app_id, safe='')}/user-open-data?{_query(open_data)}"


def _query(open_data: str) -> str:
    return f"openData={quote(open_data, safe='')}"
