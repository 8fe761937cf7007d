import threading
from contextlib import contextmanager

import pytest

from edge.booth.background import Background
from edge.errors import StoreError


class Work:
    """Counts its turns; ends them with the errors of a script."""

    def __init__(self) -> None:
        self.turns = 0
        self.enough = threading.Event()
        self.errors = []
        self.threads = set()
        self.is_open = False

    @contextmanager
    def opened(self):
        self.is_open = True
        self.threads.add(threading.get_ident())
        yield self.turn
        self.is_open = False

    def turn(self):
        self.threads.add(threading.get_ident())
        self.turns += 1
        if self.turns >= 6:
            self.enough.set()
        if self.errors:
            error = self.errors.pop(0)
            if error is not None:
                raise error


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def told():
    return []


@pytest.fixture
def background(work, told):
    made = Background(
        work.opened, 0.001, "test", lambda name, text: told.append((name, text))
    )
    yield made
    made.close()


def test_the_work_is_done_again_and_again_on_one_other_thread(background, work):
    background.open()
    assert work.enough.wait(10)
    assert background.is_alive()
    background.close()
    assert not background.is_alive()
    assert not work.is_open
    assert work.threads.isdisjoint({threading.get_ident()})
    assert len(work.threads) == 1


def test_an_error_is_told_once_as_long_as_it_stays_and_the_work_goes_on(
    background, work, told
):
    full, broken = StoreError("full"), StoreError("broken")
    work.errors = [full, full, broken, None, broken]
    background.open()
    assert work.enough.wait(10)
    assert told == [
        ("background_failed", "full"),
        ("background_failed", "broken"),
        ("background_failed", "broken"),
    ]


def test_work_that_cannot_be_opened_fails_at_the_start(told):
    @contextmanager
    def opened():
        message = "cannot open the store"
        raise StoreError(message)
        yield

    background = Background(opened, 0.001, "test", lambda *_: None)
    with pytest.raises(StoreError, match="cannot open"):
        background.open()
    assert told == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_defect_ends_the_thread(background, work):
    work.errors = [KeyError()]
    background.open()
    background._thread.join(10)
    assert not background.is_alive()
