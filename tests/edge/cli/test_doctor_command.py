"""edge doctor as a user calls it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from edge.cli.doctor import doctor
from edge.simulate.broker import free_port, start_broker


@pytest.fixture
def write_config(tmp_path):
    def write(port):
        path = tmp_path / "edge.toml"
        path.write_text(
            f'store.path = "{tmp_path}/data/booth.db"\n'
            f'models.cache_dir = "{tmp_path}/models"\n'
            f"scanner.enabled = false\ncamera.enabled = false\nbroker.port = {port}\n"
            'broker.certificates = "configured"\n'
            f'[hub]\nstore = "{tmp_path}/data/hub.db"\n'
        )
        return path

    return write


def run(*arguments):
    return CliRunner().invoke(doctor, list(map(str, arguments)), catch_exceptions=True)


def test_a_fresh_machine_with_a_broker_has_warnings_but_no_failure(
    tmp_path, write_config
):
    broker = start_broker(tmp_path / "broker", free_port(), prefer="amqtt")
    try:
        config = write_config(broker.port)
        before = sorted(tmp_path.iterdir())
        result = run("--json", "--config", config)
    finally:
        broker.stop()
    findings = {f["subject"]: f for f in json.loads(result.output)}
    assert result.exit_code == 0, result.output
    assert findings["configuration"]["text"] == f"read from {config}"
    assert findings["scanner"]["status"] == "ok"
    assert findings["store"]["status"] == "warning"
    assert findings["hub store"]["status"] == "warning"
    assert "MQTT 3.1.1" in findings["broker"]["text"]
    assert sorted(tmp_path.iterdir()) == before


def test_a_failure_is_one_line_and_exit_status_1(write_config):
    result = run("--config", write_config(free_port()))
    assert result.exit_code == 1
    (line,) = [ln for ln in result.output.splitlines() if ln.startswith("failed")]
    assert " broker: " in line


@pytest.mark.parametrize("option", [(), ("--json",)])
def test_an_unusable_configuration_is_exit_status_2(tmp_path, option):
    path = tmp_path / "edge.toml"
    path.write_text("[camera]\nsauce = 1\n")
    result = run(*option, "--config", path)
    assert result.exit_code == 2
    assert "did you mean source?" in result.output
