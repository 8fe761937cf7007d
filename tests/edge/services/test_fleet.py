"""A fleet of a few booths: real hub, broker and connections, for seconds."""

import json

import pytest
from click.testing import CliRunner

from edge.bench import fleet_plot
from edge.cli.main import edge
from edge.errors import ConfigurationError
from edge.services.fleet_report import FleetRecord, fleet_report
from edge.services.fleet_site import _allow_files
from edge.services.fleet_workers import FleetWorkers
from edge.services.processes import ProcessError
from edge.simulate.fleet_booths import FleetTimes
from edge.simulate.fleet_line import Traffic
from edge.simulate.fleet_worker import Reported, WorkerPlan


def reported(held, hits):
    return Reported(FleetTimes(held, hits), Traffic(1, 10, 2, 20, 2), 0, 1.5)


def test_a_booth_that_moved_past_a_change_held_it_then():
    record = FleetRecord(booths=2, persons=0, published={1: 10.0, 2: 11.0, 3: 12.0})
    held = [(0, 1, 10.5), (0, 2, 11.25), (1, 2, 13.0)]
    told = fleet_report(record, [reported(held, [])])["changes"]
    assert told["published"] == 3
    assert told["reached_every_booth"] == 2
    assert told["publish_to_held"]["count"] == 4
    assert told["publish_to_last_booth"]["most_ms"] == 3000.0
    assert told["publish_to_last_booth"]["median_ms"] == 2500.0


def test_what_is_lost_doubled_or_foreign_is_counted(tmp_path):
    ids = [f"{number:032x}" for number in range(4)]
    log = tmp_path / "hub.log"
    log.write_text("".join(f'{{"hit_id": "{name}"}}\n' for name in (*ids[:2], ids[0])))
    stored = [(ids[0], 1.5), (ids[1], 2.0), (ids[1], 2.5), (ids[3], 3.0)]
    record = FleetRecord(booths=1, persons=0, stored=stored, hub_log=log)
    told = fleet_report(record, [reported([], [(name, 1.0) for name in ids[:3]])])
    hits = told["hits"]
    assert (hits["made"], hits["lost"], hits["foreign"]) == (3, 1, 1)
    assert (hits["stored_twice"], hits["shown_twice"], hits["not_shown"]) == (1, 1, 1)
    assert hits["hit_to_store"]["median_ms"] == 1000.0
    assert told["line_use"]["reconnections"] == 1


def test_a_machine_that_allows_too_few_files_is_told():
    with pytest.raises(ConfigurationError, match="fewer --booths"):
        _allow_files(1 << 40)


def test_a_worker_that_cannot_start_says_why(tmp_path):
    plan = WorkerPlan(
        ("booth-1",), tmp_path, tmp_path, tmp_path / "log", is_secure=False,
        hit_bytes=1, seed=1,
    )  # fmt: skip
    with FleetWorkers([plan]) as workers, pytest.raises(ProcessError, match="failed"):
        workers.report()


def test_a_small_fleet_gets_every_change_and_loses_no_hit(tmp_path):
    out = tmp_path / "fleet.json"
    sizes = "--booths 5 --hits-per-s 40 --changes-per-day 86400 --minutes 0.08"
    sizes += " --persons 20 --processes 2 --hit-bytes 500"
    arguments = ["simulate", "fleet", *sizes.split(), "--json", str(out)]
    result = CliRunner().invoke(edge, arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    changes, hits = report["changes"], report["hits"]
    assert changes["published"] > 1
    assert changes["reached_every_booth"] == changes["published"]
    assert changes["publish_to_held"]["count"] == 5 * changes["published"]
    assert hits["made"] > 50
    assert hits["hit_to_store"]["count"] == hits["made"]
    for name in ("lost", "foreign", "stored_twice", "shown_twice", "not_shown"):
        assert hits[name] == 0, name
    assert report["line_use"]["refusals"] == 0
    assert report["line_use"]["connected_at_end"] == 5
    fleet_plot.draw(report, tmp_path / "fleet.png")
    assert (tmp_path / "fleet.png").stat().st_size > 1000
