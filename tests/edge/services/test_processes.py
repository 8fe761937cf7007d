import pytest

from edge.services.processes import ProcessError, ServiceProcess, stop_all

READY = (
    "import os, signal, socket, sys, time\n"
    "signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
    "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
    "s.sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n"
    "print('up', flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.fixture
def start(tmp_path_short):
    started = []

    def _start(script):
        process = ServiceProcess("child", ("-c", script), tmp_path_short)
        started.append(process)
        process.start()
        return process

    yield _start
    stop_all(started)


def test_a_process_counts_as_started_when_it_says_ready(start):
    process = start(READY)
    process.wait_ready(10)
    assert process.is_running()
    process.stop()
    assert not process.is_running()


def test_a_killed_process_can_be_started_again(start):
    process = start(READY)
    process.wait_ready(10)
    first = process.pid
    process.kill()
    assert not process.is_running()
    process.start()
    process.wait_ready(10)
    assert process.pid != first


def test_a_process_that_ends_at_its_start_is_reported_with_its_last_words(start):
    process = start("print('no such device'); raise SystemExit(2)")
    with pytest.raises(ProcessError, match="ended at its start: no such device"):
        process.wait_ready(10)


def test_a_process_that_never_says_ready_is_reported(start):
    process = start("import time; time.sleep(60)")
    with pytest.raises(ProcessError, match="was not ready in time"):
        process.wait_ready(0.2)
