"""No two servers are given the same port, whoever starts them."""

import multiprocessing
import secrets
import socket
from multiprocessing.connection import Connection

import pytest

from vaultsigner.dev import ports
from vaultsigner.dev.ports import free_port

EACH = 400


def take_ports(sink: Connection) -> None:
    """In a process of its own: send the ports, and keep them until there is an answer."""
    sink.send([free_port() for _ in range(EACH)])
    sink.recv()


def test_ports_are_given_once_over_several_processes() -> None:
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in range(3)]
    processes = [context.Process(target=take_ports, args=(theirs,)) for _, theirs in pipes]
    for process in processes:
        process.start()
    taken = [port for ours, _ in pipes for port in ours.recv()] + [free_port() for _ in range(EACH)]
    for (ours, _), process in zip(pipes, processes, strict=True):
        ours.send(None)
        process.join()
    assert len(set(taken)) == 4 * EACH


def test_one_that_somebody_listens_on_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, other = free_port(), free_port()
    drawn = iter([taken, other])
    monkeypatch.setattr(ports, "_held", set())
    monkeypatch.setattr(secrets, "randbelow", lambda _: next(drawn) - ports.FIRST)
    with socket.create_server(("127.0.0.1", taken)):
        assert free_port() == other
