"""IP whitelists hang on the address that the pipeline is told."""

import pytest

from tests.integration.server.conftest import Service

FORWARDED = [
    (["9.9.9.9"], "9.9.9.9"),
    (["1.1.1.1, 9.9.9.9"], "9.9.9.9"),
    (["9.9.9.9", "1.1.1.1,2001:db8::1 "], "2001:db8::1"),
    (["::ffff:9.9.9.9"], "9.9.9.9"),
    ([], "127.0.0.1"),
]


async def _ask(service: Service, values: list[str]) -> bytes:
    lines = "".join(f"X-Forwarded-For: {value}\r\n" for value in values)
    head = (
        f"GET /api/wallet HTTP/1.1\r\nHost: x\r\nForwarded: for=6.6.6.6\r\n{lines}Connection: close\r\n\r\n"
    )
    return await service.raw(head.encode(), end=False)


@pytest.mark.parametrize(("values", "address"), FORWARDED)
async def test_a_trusted_proxys_own_word_counts(
    proxied_service: Service, values: list[str], address: str
) -> None:
    await _ask(proxied_service, values)
    assert [str(call.ip) for _, call in proxied_service.pipeline.calls] == [address]


@pytest.mark.parametrize(("values", "address"), FORWARDED)
async def test_a_strangers_forwarded_for_is_not_believed(
    service: Service, values: list[str], address: str
) -> None:
    await _ask(service, values)
    assert [str(call.ip) for _, call in service.pipeline.calls] == ["127.0.0.1"]


@pytest.mark.parametrize(
    "last", ["", "unknown", "9.9.9.9:80", "[::1]", "fe80::1%eth0", "0x7f.1", "010.0.0.1", "1.2.3"]
)
async def test_a_malformed_last_element_is_refused(proxied_service: Service, last: str) -> None:
    answer = await _ask(proxied_service, [f"1.1.1.1, {last}"])
    assert b" 400 " in answer.split(b"\r\n")[0]
    [(call, refusal)] = proxied_service.pipeline.refusals
    assert (str(call.ip), call.operation, refusal.code) == ("127.0.0.1", "wallet.list", "malformed_request")


async def test_refusals_are_recorded_with_the_forwarded_address(proxied_service: Service) -> None:
    await proxied_service.request("GET", "/api/nothing", headers={"X-Forwarded-For": "9.9.9.9"})
    assert [str(call.ip) for call, _ in proxied_service.pipeline.refusals] == ["9.9.9.9"]
