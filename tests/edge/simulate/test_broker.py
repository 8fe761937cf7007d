import socket
from pathlib import Path

import pytest

from edge.errors import LinkError
from edge.simulate.broker import HOST, find_mosquitto, free_port, start_broker


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_a_broker_starts_stops_and_starts_again_on_its_port(tmp_path, kind):
    if kind == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    running = start_broker(tmp_path, free_port(), prefer=kind)
    assert running.kind == kind
    running.stop()
    running.stop()
    assert not running.is_running
    running.restart()
    socket.create_connection((running.host, running.port), timeout=5.0).close()
    running.kill()
    assert not running.is_running


def test_without_mosquitto_amqtt_takes_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("edge.simulate.broker._MORE_FOLDERS", ())
    running = start_broker(tmp_path, free_port())
    assert running.kind == "amqtt"
    running.stop()


@pytest.mark.parametrize("kind", ["mosquitto", "amqtt"])
def test_a_broker_that_cannot_start_is_a_link_error(tmp_path, kind):
    if kind == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    with socket.socket() as occupied:
        # Bound but not listening: nobody answers there, and nobody else can bind.
        occupied.bind((HOST, 0))
        with pytest.raises(LinkError, match=r"broker\.log"):
            start_broker(tmp_path, occupied.getsockname()[1], prefer=kind)


def test_no_outgoing_connection_can_take_a_free_port_before_its_server():
    ports = {free_port() for _ in range(50)}
    outgoing = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(outgoing.read_text().split()[0]) if outgoing.exists() else 32768
    if first < 32768:
        pytest.skip(f"this machine's outgoing connections begin at port {first}")
    assert max(ports) < first
    assert len(ports) > 40
