"""`edge demo`: a whole checkpoint on one machine, no hardware, no network."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, TaskID
from rich.table import Table

from edge.cli.context import config_option, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from edge.config import Config
    from edge.services.demo import Demo, TravellerReport
    from edge.services.system import LocalSystem
    from edge.simulate.scenario import Scenario

OUTCOME_STYLES = {"clear": "bold green", "refer": "bold red", "retry": "yellow"}
FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command()
@click.option("--once", is_flag=True, help="End after the last traveller.")
@click.option("--json", "json_path", type=click.Path(path_type=Path), default=None)
@click.option("--fingers", type=FOLDER, default=None, help="Folder of fingerprints.")
@click.option("--faces", type=FOLDER, default=None, help="Folder of faces.")
@click.option("--paced", is_flag=True, help="Emulate the scanner's line at 57600 baud.")
@click.option(
    "--broker",
    type=click.Choice(["mosquitto", "amqtt"]),
    default="mosquitto",
    help="Mosquitto is used where it is installed, else the embedded amqtt.",
)
@config_option
def demo(
    *,
    once: bool,
    json_path: Path | None,
    fingers: Path | None,
    faces: Path | None,
    paced: bool,
    broker: Literal["mosquitto", "amqtt"],
    config_path: Path | None,
) -> None:
    """Send six travellers through a whole checkpoint.

    Real processes, a real serial protocol on a pseudo-terminal, a real video stream and
    a real broker; fingers and faces are generated, or come from folders of files named
    <person>_<impression>.<ext>. Exit status 0 only if all six went as expected.
    """
    from edge.services.system import LocalSystem  # noqa: PLC0415  slow to load
    from edge.simulate.cast import cast_from_folders  # noqa: PLC0415
    from edge.simulate.scenario import demo_scenario  # noqa: PLC0415

    console = Console()
    config = load(config_path)
    # Stopped from outside, the demo still ends its processes and removes its files.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _prepare_models(console, config)
    with console.status("making fingers and faces"):
        scenario = demo_scenario(cast_from_folders(fingers, faces))
    run_dir = Path(tempfile.mkdtemp(prefix="edge-demo-"))
    try:
        with (
            LocalSystem(
                run_dir,
                model_cache=config.models.cache_dir,
                is_paced=paced,
                prefer_broker=broker,
                on_step=lambda step: console.print(f"  starting {step}"),
            ) as system,
            _demo(console, config, system, scenario) as play,
        ):
            is_good = _play(console, play, json_path)
            if not once:
                _stay(console, system, play)
    finally:
        shutil.rmtree(run_dir, ignore_errors=True)
    sys.exit(0 if is_good else 1)


def _prepare_models(console: Console, config: Config) -> None:
    """Make what is missing, with a progress bar, before the processes need it."""
    from edge.models.registry import ALL_SPECS  # noqa: PLC0415  slow to load
    from edge.models.store import ModelStatus  # noqa: PLC0415
    from edge.services.wiring import model_store, prepare_kernels  # noqa: PLC0415

    store = model_store(config)
    ids = [spec.model_id for spec in ALL_SPECS if not spec.is_optional]
    missing = [i for i in ids if store.verify(i) is not ModelStatus.READY]
    with Progress(console=console, transient=True) as progress:
        for model_id in missing:
            task = progress.add_task(f"  preparing {model_id}", total=1.0)

            def tell(share: float, _step: str, task: TaskID = task) -> None:
                progress.update(task, completed=share)

            store.prepare(model_id, tell)
    with console.status("compiling the comparison (once on a machine)"):
        prepare_kernels(config)


@contextmanager
def _demo(
    console: Console, config: Config, system: LocalSystem, scenario: Scenario
) -> Iterator[Demo]:
    from edge.services.demo import Demo  # noqa: PLC0415  slow to load
    from edge.services.wiring import enrolment_engines  # noqa: PLC0415

    with console.status("loading the networks"):
        engines = enrolment_engines(config)
    console.print(f"  broker: {system.broker.kind}, booth: {system.booth_url}\n")
    with closing(Demo(system, scenario, engines)) as play:
        yield play


def _play(console: Console, play: Demo, json_path: Path | None) -> bool:
    with Live(console=console, refresh_per_second=8) as live:
        is_good = play.run(lambda reports: live.update(_table(reports)))
        live.update(_table(play.reports))
    if json_path is not None:
        _write_json(json_path, is_good, play.reports)
    for report in play.reports:
        if report.problem:
            console.print(f"  {report.name}: {report.problem}", style="yellow")
    verdict = "all six as expected" if is_good else "NOT as expected"
    console.print(f"\n  {verdict}", style="bold green" if is_good else "bold red")
    return is_good


def _table(reports: list[TravellerReport]) -> Table:
    table = Table("", "traveller", "finger", "face", "seconds", "decision", "delivery")
    for report in reports:
        finger = str(report.quality.get("fingerprint", ""))
        if report.attempts > 1:
            finger += f" (capture {report.attempts})"
        decision = report.actual.upper() if report.quality else report.actual
        table.add_row(
            report.name,
            report.what,
            finger,
            str(report.quality.get("face", "")),
            f"{report.seconds:.1f}" if report.seconds else "",
            f"[{OUTCOME_STYLES.get(report.actual, 'dim')}]{decision}",
            report.delivery,
        )
    return table


def _write_json(path: Path, is_good: bool, reports: list[TravellerReport]) -> None:  # noqa: FBT001  one flag of the file
    document = {"ok": is_good, "travellers": [r.as_json() for r in reports]}
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _stay(console: Console, system: LocalSystem, play: Demo) -> None:
    people = Table("where", "name", "password")
    for (place, name), password in system.passwords.items():
        people.add_row(place, name, password)
    console.print(
        f"\n  The checkpoint stays up, and the travellers come again, one a check.\n"
        f"  Officer's screen: {system.booth_url}\n"
        f"  Hub's console:    {system.console_url}\n"
        f"  Its files: {system.config_path.parent}\n"
        f"  The hub's log: edge hub hits --config {system.config_path}\n"
    )
    console.print(people)
    console.print("  Ctrl-C ends it.")
    try:
        play.keep_coming(
            lambda name, what: console.print(f"  at the booth: {name}, {what}")
        )
    except KeyboardInterrupt:
        console.print("  stopping")
