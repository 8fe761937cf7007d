"""The import contracts hold, and each outside library has its one door."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
SOURCES = sorted(
    path
    for package in ("edge", "firmware_bridge")
    for path in (REPOSITORY / package).rglob("*.py")
)
DOORS = {
    "serial": {"firmware_bridge/serial_port.py"},
    "paho": {"edge/sync/mqtt_session.py", "edge/sync/mqtt_wire.py"},
    "onnxruntime": {"edge/recognition/onnx_session.py"},
    "amqtt": {"edge/simulate/broker_amqtt.py"},
    "uvicorn": {"edge/services/web_server.py"},
}


def name_of(path):
    return path.relative_to(REPOSITORY).as_posix()


def imported_libraries(path):
    """Return the top-level names that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def importers(library):
    return {name_of(path) for path in SOURCES if library in imported_libraries(path)}


def test_the_import_contracts_are_kept():
    linter = Path(sys.executable).with_name("lint-imports")
    if not linter.exists():
        pytest.skip("import-linter is not installed")
    result = subprocess.run(
        [linter, "--no-cache"],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("library", DOORS)
def test_a_library_is_imported_only_at_its_door(library):
    assert importers(library) == DOORS[library]


def test_fastapi_is_imported_only_by_what_serves_browsers():
    # edge/services puts routes together, and names what it puts together.
    web = ("edge/booth/", "edge/console/", "edge/web/", "edge/services/")
    strangers = {name for name in importers("fastapi") if not name.startswith(web)}
    assert strangers == set()


def test_sqlite_is_imported_only_by_the_store():
    strangers = {n for n in importers("sqlite3") if not n.startswith("edge/store/")}
    assert strangers == set()


def test_a_camera_is_opened_only_in_the_camera_adapter():
    users = {name_of(p) for p in SOURCES if "VideoCapture" in p.read_text("utf-8")}
    assert users == {"edge/capture/face_camera.py"}


def test_no_module_of_the_product_imports_its_tests_or_test_tools():
    for library in ("pytest", "hypothesis", "tests"):
        assert importers(library) == set()
