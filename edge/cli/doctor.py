"""edge doctor: what works on this machine, one line a subject."""

from __future__ import annotations

import json
import logging
import os
import sys
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from edge.cli.context import config_option, load
from edge.config import FILE_VARIABLE, SYSTEM_FILE
from edge.errors import ConfigurationError

# OpenCV prints to the terminal on its own; what matters is in the report.
os.environ.setdefault("OPENCV_LOG_LEVEL", "OFF")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
from edge.services.doctor import examine
from edge.services.findings import Finding, Status

if TYPE_CHECKING:
    from pathlib import Path

STYLES = {Status.OK: "green", Status.WARNING: "yellow", Status.FAILED: "bold red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@config_option
def doctor(*, as_json: bool, config_path: Path | None) -> None:
    """Say what works on this machine. Changes nothing and ends within 15 seconds.

    Exit status 0 if nothing failed, 1 if something did, 2 for an unusable
    configuration.
    """
    logging.getLogger("edge").addHandler(logging.NullHandler())
    try:
        config = load(config_path)
    except ConfigurationError as error:
        text = " ".join(str(error).split())
        _report([Finding("configuration", Status.FAILED, text)], as_json=as_json)
        sys.exit(2)
    origin = Finding("configuration", Status.OK, _origin(config_path))
    findings = [origin, *examine(config)]
    _report(findings, as_json=as_json)
    sys.exit(any(finding.status is Status.FAILED for finding in findings))


def _origin(config_path: Path | None) -> str:
    variable = os.environ.get(FILE_VARIABLE)
    if config_path is not None:
        return f"read from {config_path}"
    if variable:
        return f"read from {variable} (${FILE_VARIABLE})"
    if SYSTEM_FILE.is_file():
        return f"read from {SYSTEM_FILE}"
    return f"built-in defaults: no --config, ${FILE_VARIABLE} or {SYSTEM_FILE}"


def _report(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        data = [
            {"subject": f.subject, "status": f.status.value, "text": f.text}
            for f in findings
        ]
        click.echo(json.dumps(data, indent=2))
        return
    console = Console()
    if not console.is_terminal:
        for finding in findings:
            click.echo(f"{finding.status:<8} {finding.subject}: {finding.text}")
        return
    table = Table(box=None, show_header=False)
    for f in findings:
        # As Text: a path in square brackets is no markup.
        status = Text(f.status.value, style=STYLES[f.status])
        table.add_row(status, Text(f.subject), Text(f.text))
    console.print(table)
