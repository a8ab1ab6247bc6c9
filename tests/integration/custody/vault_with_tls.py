"""OpenBao that also listens with TLS and asks clients for a certificate."""

from pathlib import Path

from tests.integration.custody.test_tls import Authority
from vaultsigner.dev.openbao import OpenBao
from vaultsigner.dev.ports import free_port


class TlsOpenBao(OpenBao):
    """`address` stays plain, for the test's own hands; custody uses `tls_address`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self._tls_port = free_port()
        self._files = directory
        directory.mkdir(parents=True)
        self.authority = Authority(directory, "127.0.0.1")
        self.tls_address = f"https://127.0.0.1:{self._tls_port}"

    def _config(self) -> dict[str, object]:
        whole = super()._config()
        certificate = str(self._files / "server.pem")
        secured = {
            "address": f"127.0.0.1:{self._tls_port}",
            "tls_cert_file": certificate,
            "tls_key_file": certificate,
        }
        listeners = whole["listener"]
        assert isinstance(listeners, list)
        return {**whole, "listener": [*listeners, {"tcp": secured}]}
