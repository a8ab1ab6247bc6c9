"""Exchange accounts and Open API apps of a planned installation: their secrets' way into Vault, their lines in config.yml."""

from dataclasses import dataclass, field

from vaultsigner.cli.exchange_material import public_pem, read_exchange_secret
from vaultsigner.cli.exchange_store import Found, write
from vaultsigner.cli.key_store import look_up, put_fields
from vaultsigner.cli.transit_store import look_up_transit
from vaultsigner.cli.vault_admin import OperatorVault
from vaultsigner.config.settings import ExchangeScheme, KvReference, TransitReference


@dataclass(frozen=True, slots=True)
class PlannedExchange:
    """An exchange account. Its secret goes to Transit as `transit/<name>`, or to KV at `secret/exchanges/<name>`.

    Args:
        secret: HMAC's text, or a private key in PEM.
        transit: whether the secret goes to Transit.
        verified: whether config.yml has the public key, so that the server verifies each signature; not for HMAC.
        secret_of: the name of the exchange whose secret this is, too; that one plants it.
    """

    name: str
    base_url: str
    api_key: str
    scheme: ExchangeScheme
    secret: str = field(repr=False)
    transit: bool = True
    verified: bool = True
    secret_of: str | None = None

    @property
    def reference(self) -> KvReference | TransitReference:
        """Where the secret lies."""
        name = self.secret_of or self.name
        return (
            TransitReference("transit", name)
            if self.transit
            else KvReference("secret", f"exchanges/{name}", "secret")
        )

    def plant(self, operator: OperatorVault) -> None:
        """Bring the secret into Vault, over whatever is there."""
        reference = self.reference
        if isinstance(reference, KvReference):
            before = Found(look_up(operator, reference).version)
        else:
            key = look_up_transit(operator, reference)
            before = Found(key.version if key else 0, key)
        if self.secret_of is None:
            write(operator, reference, read_exchange_secret(self.scheme, self.secret), before)

    def entry(self) -> dict[str, object]:
        """In config.yml."""
        public_key = read_exchange_secret(self.scheme, self.secret).public_key
        return {
            "name": self.name,
            "base_url": self.base_url,
            "api_key": self.api_key,
            "scheme": self.scheme,
            "secret": str(self.reference),
            **({"public_key": public_pem(public_key)} if public_key and self.verified else {}),
        }


@dataclass(frozen=True, slots=True)
class PlannedOpenApiApp:
    """A mini-program's account. Its secrets go to KV at `secret/open-api/<name>`; `private_key` is PEM, RSA."""

    name: str
    app_id: str
    access_key_id: str
    base_url: str
    secret_key: str = field(repr=False)
    private_key: str | None = field(default=None, repr=False)

    def plant(self, operator: OperatorVault) -> None:
        """Bring the secrets into Vault, over whatever is there."""
        secrets = {self._reference("secret_key"): self.secret_key}
        if self.private_key is not None:
            secrets[self._reference("private_key")] = self.private_key
        version = look_up(operator, self._reference("secret_key")).version
        put_fields(operator, secrets, version=version)

    def entry(self) -> dict[str, object]:
        """In config.yml."""
        return {
            "name": self.name,
            "app_id": self.app_id,
            "access_key_id": self.access_key_id,
            "base_url": self.base_url,
            "secret_key": str(self._reference("secret_key")),
            **({"private_key": str(self._reference("private_key"))} if self.private_key else {}),
        }

    def _reference(self, member: str) -> KvReference:
        return KvReference("secret", f"open-api/{self.name}", member)
