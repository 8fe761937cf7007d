import os
import shutil
import tempfile
from pathlib import Path

import pytest
from xdist.scheduler import LoadFileScheduling

REPOSITORY = Path(__file__).parents[1]
BROWSER = "tests/browser/"


@pytest.fixture
def tmp_path_short():
    """A folder whose path is short enough for Unix sockets (108 bytes)."""
    path = Path(tempfile.mkdtemp(prefix="edge-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def shared_folder():
    """Real prints and faces, which lie beside the checkout on some machines."""
    path = Path(os.environ.get("EDGE_SHARED", REPOSITORY.parent / "shared"))
    if not (path / "data").is_dir():
        pytest.skip("no real prints and faces: EDGE_SHARED or ../shared is not there")
    return path


class FileScheduling(LoadFileScheduling):
    """Files stay together; so do those that share one running checkpoint."""

    def _split_scope(self, nodeid):
        return BROWSER if nodeid.startswith(BROWSER) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return FileScheduling(config, log)


def pytest_collection_modifyitems(items):
    """Files of slow tests first; each file stays together and in its order."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_runtest_makereport(item, call):
    """In CI a missing system program is a failure, not a skip."""
    del item
    if (
        os.environ.get("CI")
        and call.excinfo is not None
        and call.excinfo.errisinstance(pytest.skip.Exception)
        and "not installed" in str(call.excinfo.value)
    ):
        message = f"skipped in CI: {call.excinfo.value}"
        call.excinfo = pytest.ExceptionInfo.from_exc_info(
            (AssertionError, AssertionError(message), None)
        )
