"""OpenBao as the demonstration and the tests run it."""

from pathlib import Path

import hvac
import pytest

from vaultsigner.dev.openbao import OpenBao

READ_ALPHA = 'path "secret/data/alpha" { capabilities = ["read"] }'


def as_holder(openbao: OpenBao, token: str) -> hvac.Client:
    return hvac.Client(url=openbao.address, token=token)


def read_alpha(client: hvac.Client) -> dict[str, str]:
    answer = client.secrets.kv.v2.read_secret_version(
        "alpha", mount_point="secret", raise_on_deleted_version=True
    )
    fields: dict[str, str] = answer["data"]["data"]
    return fields


def test_a_token_may_do_what_its_rules_say_and_nothing_else(openbao: OpenBao) -> None:
    openbao.write_secret("alpha", {"field": "value"})
    openbao.write_secret("beta", {"field": "value"})
    client = as_holder(openbao, openbao.create_token(READ_ALPHA, name="reads-alpha"))
    assert read_alpha(client) == {"field": "value"}
    with pytest.raises(hvac.exceptions.Forbidden):
        client.secrets.kv.v2.read_secret_version("beta", raise_on_deleted_version=True)
    with pytest.raises(hvac.exceptions.Forbidden):  # the `default` policy would allow it
        client.auth.token.lookup_self()


def test_a_revoked_token_is_refused(openbao: OpenBao) -> None:
    openbao.write_secret("alpha", {"field": "value"})
    token = openbao.create_token(READ_ALPHA, name="reads-alpha")
    openbao.revoke_token(token)
    with pytest.raises(hvac.exceptions.Forbidden):
        read_alpha(as_holder(openbao, token))


def test_transit_keys_are_ed25519(openbao: OpenBao) -> None:
    openbao.create_transit_keys("tokens", "checkpoints", mount="signing")
    keys = openbao.client.secrets.transit.list_keys(mount_point="signing")["data"]["keys"]
    read = openbao.client.secrets.transit.read_key("tokens", mount_point="signing")
    assert keys == ["checkpoints", "tokens"]
    assert read["data"]["type"] == "ed25519"


def test_sealed_it_answers_nothing_and_unsealed_everything(own_openbao: OpenBao) -> None:
    own_openbao.write_secret("alpha", {"field": "value"})
    token = own_openbao.create_token(READ_ALPHA)
    own_openbao.seal()
    with pytest.raises(hvac.exceptions.VaultDown):
        read_alpha(as_holder(own_openbao, token))
    own_openbao.unseal()
    assert read_alpha(as_holder(own_openbao, token)) == {"field": "value"}


def test_it_keeps_keys_and_address_over_a_restart(durable_openbao: OpenBao) -> None:
    durable_openbao.write_secret("alpha", {"field": "value"})
    token, address = durable_openbao.create_token(READ_ALPHA), durable_openbao.address
    durable_openbao.stop()
    assert durable_openbao.pid is None
    durable_openbao.start()
    assert durable_openbao.address == address
    assert read_alpha(as_holder(durable_openbao, token)) == {"field": "value"}


def test_its_secrets_stand_in_no_file_command_line_or_environment(
    durable_openbao: OpenBao, tmp_path: Path
) -> None:
    token = durable_openbao.root_token.encode()
    process = Path(f"/proc/{durable_openbao.pid}")
    readable = [process / "cmdline", process / "environ", *(tmp_path / "openbao").rglob("*")]
    held = b"".join(path.read_bytes() for path in readable if path.is_file())
    assert durable_openbao.address.rpartition(":")[2].encode() in held
    assert token not in held
