import socket
import threading
import time

import pytest

from edge.simulate.broker import HOST
from edge.simulate.fault_proxy import FaultProxy

PATIENCE_S = 10.0


@pytest.fixture
def echo_port():
    """A server that sends back what it gets, until the test ends."""
    server = socket.create_server((HOST, 0))
    threads = []

    def talk(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass

    def serve():
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            thread = threading.Thread(target=talk, args=(connection,))
            thread.start()
            threads.append(thread)

    acceptor = threading.Thread(target=serve)
    acceptor.start()
    yield server.getsockname()[1]
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    for thread in [acceptor, *threads]:
        thread.join(PATIENCE_S)


@pytest.fixture
def proxy(echo_port):
    with FaultProxy(echo_port) as running:
        yield running


@pytest.fixture
def dial(proxy):
    opened = []

    def connect():
        client = socket.create_connection((HOST, proxy.port), PATIENCE_S)
        opened.append(client)
        return client

    yield connect
    for client in opened:
        client.close()


def exchange(client, data):
    threading.Thread(target=client.sendall, args=(data,), daemon=True).start()
    return receive(client, len(data))


def receive(client, count):
    found = b""
    while len(found) < count and (data := client.recv(65536)):
        found += data
    return found


def is_mute(client):
    client.settimeout(0.1)
    try:
        client.recv(1)
    except TimeoutError:
        return True
    finally:
        client.settimeout(PATIENCE_S)
    return False


def eventually(condition):
    deadline_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


def test_a_good_line_passes_everything_both_ways(proxy, dial):
    data = bytes(range(256)) * 4000
    assert exchange(dial(), data) == data
    # The last piece is counted when it has gone, which its reader may see first.
    eventually(lambda: (proxy.up_bytes, proxy.down_bytes) == (len(data), len(data)))
    assert proxy.connections == 1


def test_the_end_of_one_side_reaches_the_other(dial):
    client = dial()
    client.sendall(b"last")
    client.shutdown(socket.SHUT_WR)
    assert receive(client, 100) == b"last"


def test_a_delayed_line_holds_bytes_back_each_way(proxy, dial):
    client = dial()
    proxy.delay(0.05)
    began_s = time.monotonic()
    assert exchange(client, b"ping") == b"ping"
    assert time.monotonic() - began_s >= 0.1


def test_a_limited_line_passes_no_more_than_its_rate(proxy, dial):
    client = dial()
    proxy.limit(800_000)
    began_s = time.monotonic()
    data = bytes(20_000)
    assert exchange(client, data) == data
    assert time.monotonic() - began_s >= 0.15


def test_a_trickle_passes_a_byte_and_then_waits(proxy, dial):
    client = dial()
    proxy.trickle()
    client.sendall(b"abcdef")
    assert receive(client, 1) == b"a"
    assert is_mute(client)
    proxy.heal()
    assert receive(client, 5) == b"bcdef"


def test_silence_tells_nobody_and_loses_nothing(proxy, dial):
    client = dial()
    assert exchange(client, b"before") == b"before"
    proxy.fall_silent()
    client.sendall(b"meanwhile")
    newcomer = dial()
    newcomer.sendall(b"hello")
    assert is_mute(client)
    assert is_mute(newcomer)
    proxy.heal()
    assert receive(client, 9) == b"meanwhile"
    assert receive(newcomer, 5) == b"hello"


def test_a_lost_connection_stays_mute_and_a_new_one_works(proxy, dial):
    client = dial()
    assert exchange(client, b"before") == b"before"
    proxy.lose_track()
    proxy.heal()
    client.sendall(b"anyone?")
    assert is_mute(client)
    assert exchange(dial(), b"new") == b"new"


def test_a_cut_is_an_end_and_a_reset_is_an_error(proxy, dial):
    client = dial()
    exchange(client, b"1")
    proxy.cut()
    assert client.recv(1) == b""
    client = dial()
    exchange(client, b"2")
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_reset_comes_in_the_middle_of_a_message_and_only_once(proxy, dial):
    client = dial()
    exchange(client, b"1")
    proxy.reset_after(10)
    client.sendall(bytes(20))
    with pytest.raises(ConnectionResetError):
        receive(client, 20)
    assert proxy.up_bytes + proxy.down_bytes == 2 + 10
    assert exchange(dial(), bytes(50)) == bytes(50)


def test_a_line_that_is_down_ends_each_connection_until_it_is_healed(proxy, dial):
    client = dial()
    exchange(client, b"1")
    proxy.go_down()
    assert client.recv(1) == b""
    assert dial().recv(1) == b""
    proxy.heal()
    assert exchange(dial(), b"2") == b"2"


def test_a_server_that_is_away_is_an_end(echo_port):
    del echo_port
    with socket.socket() as nobody:
        nobody.bind((HOST, 0))
        with (
            FaultProxy(nobody.getsockname()[1]) as proxy,
            socket.create_connection((HOST, proxy.port), PATIENCE_S) as client,
        ):
            assert client.recv(1) == b""


def test_a_stopped_proxy_has_no_thread_and_no_port(echo_port):
    with FaultProxy(echo_port) as proxy:
        port = proxy.port
    proxy.stop()
    proxy.heal()
    assert not any(t.name == "fault-proxy" for t in threading.enumerate())
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((HOST, port), PATIENCE_S)
