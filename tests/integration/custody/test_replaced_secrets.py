"""The promise of `vaultsigner clients create --replace`: a running custody takes the new secret at once, the old one no more."""

from pathlib import Path

from tests.integration.custody.proving import HMAC, PATHS, proving
from tests.signing_client import HmacKey


async def test_a_replaced_secret_counts_from_the_next_request_and_the_old_one_no_more(tmp_path: Path) -> None:
    new = HmacKey(HMAC.api_key, "test secret that took the other's place")
    async with proving(tmp_path) as here:
        await here.proved(here.request(here.call(HMAC)))
        assert await here.refused(here.request(here.call(new))) is not None
        here.vault.fields[PATHS["bot"]] = {"secret": new.secret}
        await here.proved(here.request(here.call(new)))
        assert await here.refused(here.request(here.call(HMAC))) == (
            "client bot-hmac: the signature does not verify"
        )
