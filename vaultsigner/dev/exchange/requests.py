"""A request as it came in: its raw bytes, what of them is signed, and what they decode to."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from vaultsigner.dev.exchange.refusals import RefusedError, illegal

SIGNATURE = "signature"
ANY_TEXT = "^[\\u0020-\\uffff]*$"

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RawRequest:
    """What stood on the wire.

    Args:
        method: GET, POST, PUT or DELETE.
        target: path and query, never decoded; bytes that are no UTF-8 as surrogates.
        headers: in their order.
        body: as it came.
    """

    method: str
    target: str
    headers: Pairs
    body: bytes

    @property
    def path(self) -> str:
        """Up to the question mark."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> bytes:
        """After the first question mark."""
        return self.target.partition("?")[2].encode("utf-8", "surrogateescape")

    def header(self, name: str) -> str | None:
        """The first of that name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def form(self) -> bytes:
        """The body, where it is a form: everything that is not announced and written as JSON."""
        is_json = "json" in (self.header("Content-Type") or "") and self.body.lstrip()[:1] in (b"{", b"[")
        return b"" if is_json else self.body

    @property
    def signed_bytes(self) -> bytes:
        """The query and the body without anything between them, each as it came but without the signature."""
        rest = _without_signature(self.form) if self.form else self.body
        return _without_signature(self.query) + rest

    def parameters(self) -> Pairs:
        """Names and values of the query and the form, decoded, in their order.

        Raises:
            RefusedError: no UTF-8, or one name twice in one place.
        """
        in_query, in_form = _decoded(self.query), _decoded(self.form)
        names = {name for name, _ in in_query}
        return in_query + tuple(pair for pair in in_form if pair[0] not in names)

    def sent(self) -> Pairs:
        """As `parameters`, but anything goes: for the record."""
        try:
            return self.parameters()
        except RefusedError:
            return ()


def _without_signature(text: bytes) -> bytes:
    return b"&".join(piece for piece in text.split(b"&") if not piece.startswith(b"signature="))


def _decoded(text: bytes) -> Pairs:
    pairs = tuple(_pair(piece) for piece in text.split(b"&") if piece)
    names = [name for name, _ in pairs]
    if len(set(names)) != len(names):
        raise RefusedError(-1101, "Duplicate values for a parameter detected.")
    return pairs


def _pair(piece: bytes) -> tuple[str, str]:
    name, _, value = piece.partition(b"=")
    try:
        return _text(name), _text(value)
    except UnicodeDecodeError:
        raise illegal(name.decode("latin-1"), ANY_TEXT) from None


def _text(piece: bytes) -> str:
    return unquote_to_bytes(piece.replace(b"+", b" ")).decode()
