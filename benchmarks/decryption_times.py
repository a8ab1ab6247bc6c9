"""`python -m benchmarks.decryption_times`: how long decryption for the Open API takes, by what is wrong with a ciphertext.

What differs here could be told from outside. Nothing but the processor's time counts, in turns of random order.
"""

import argparse
import random
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from vaultsigner.custody.open_api_decryption import decrypt_text


def ciphertexts(key: RSAPrivateKey) -> Mapping[str, Callable[[], str]]:
    """A maker of each kind."""
    public, size = key.public_key(), key.key_size // 8
    numbers = public.public_numbers()

    def encrypted(plaintext: bytes) -> str:
        return _spelled(public.encrypt(plaintext, PKCS1v15()))

    def of_block(start: bytes, end: bytes) -> str:
        block = start + b"\x11" * (size - len(start) - len(end)) + end
        return _spelled(pow(int.from_bytes(block), numbers.e, numbers.n).to_bytes(size))

    return {
        "text": lambda: encrypted(b"openid-4f1d"),
        "bytes that are no text": lambda: encrypted(secrets.token_bytes(40)),
        "no text at the very end": lambda: encrypted(b"a" * (size - 12) + b"\xff"),
        "another block type": lambda: of_block(b"\0\1", b"\0openid"),
        "a leading byte": lambda: of_block(b"\1\2", b"\0openid"),
        "no separator": lambda: of_block(b"\0\2", b""),
        "random": lambda: _spelled(secrets.randbelow(numbers.n).to_bytes(size)),
        "past the modulus": lambda: _spelled(b"\xff" * size),
        "another length": lambda: _spelled(secrets.token_bytes(size - 1)),
        "no base64url": lambda: "!",
    }


def _spelled(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode()


def measure(key: RSAPrivateKey, turns: int) -> dict[str, list[int]]:
    """Nanoseconds of each turn, sorted."""
    makers = ciphertexts(key)
    taken: dict[str, list[int]] = {kind: [] for kind in makers}
    for _ in range(turns):
        for kind in random.sample(list(makers), len(makers)):
            ciphertext = makers[kind]()
            began = time.process_time_ns()
            decrypt_text(key, ciphertext)
            taken[kind].append(time.process_time_ns() - began)
    return {kind: sorted(times) for kind, times in taken.items()}


def main() -> None:
    """Measure and show."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decryption_times", description=__doc__)
    parser.add_argument("--bits", type=int, default=2048, help="of the key (default: 2048)")
    parser.add_argument("--turns", type=int, default=400, help="of each kind (default: 400)")
    chosen = parser.parse_args()
    print(f"{'microseconds':26} {'p10':>8} {'median':>8} {'p90':>8}")
    for kind, times in measure(generate_private_key(65537, chosen.bits), chosen.turns).items():
        shown = (times[len(times) * part // 10] / 1000 for part in (1, 5, 9))
        print(f"{kind:26} " + " ".join(f"{value:8.1f}" for value in shown))


if __name__ == "__main__":
    main()
