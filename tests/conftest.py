import os
import shutil
import tempfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


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
