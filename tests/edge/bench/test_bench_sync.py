"""The benchmark of the wire: a tiny run of real processes, and what it makes of it."""

import json

import pytest
from click.testing import CliRunner

from edge.bench import sync_plot
from edge.bench.sync_site import milliseconds
from edge.bench.sync_watchlist import with_worst_case
from edge.cli.main import edge
from edge.simulate.broker import find_mosquitto
from edge.simulate.watchlist_persons import GeneratedPersons, template_bytes, withdrawal
from edge.terms import ChangeOperation, Modality


def test_a_person_follows_from_seed_and_number_alone():
    [one] = GeneratedPersons(7).additions(5, 1)
    several = list(GeneratedPersons(7).additions(4, 3))
    assert several[1].entry == one.entry
    assert template_bytes(several[1]) == template_bytes(one)
    [other] = GeneratedPersons(8).additions(5, 1)
    assert other.entry_id != one.entry_id


def test_a_person_has_two_fingers_and_a_face():
    [draft] = GeneratedPersons().additions(0, 1)
    kinds = [reference.modality for reference in draft.references]
    assert kinds == [Modality.FINGERPRINT, Modality.FINGERPRINT, Modality.FACE]
    assert len({reference.position for reference in draft.references}) == 3
    assert withdrawal(draft.entry_id).operation is ChangeOperation.WITHDRAW


def test_delays_are_told_in_milliseconds():
    told = milliseconds([0.1, 0.2, 0.3])
    assert told == {"count": 3, "median_ms": 200.0, "p99_ms": 298.0, "most_ms": 300.0}


def test_the_worst_day_is_one_of_whole_templates_only():
    day = {
        "changes": 7000,
        "share_added": 0.1,
        "share_replaced": 0.1,
        "bytes_per_change": 280.0,
        "line_bits_per_s": 64_000,
    }
    told = with_worst_case(day, bytes_per_person=1000.0)
    assert told["bytes_per_change_without_templates"] == 100.0
    assert told["all_with_templates_s"] == 875.0
    # 343 bytes a change are what 5 minutes carry.
    assert told["share_with_templates_in_5_minutes"] == pytest.approx(0.27)


@pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")
def test_every_section_runs_on_a_tiny_list(tmp_path):
    out = tmp_path / "sync.json"
    sizes = "--persons 60 --changes 20 --published 1 --hits 2"
    sizes += " --outage-hits 30 --ingest-hits 10 --threads 1"
    arguments = ["bench", "sync", *sizes.split(), "--json", str(out)]
    result = CliRunner().invoke(edge, arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(out.read_text())
    assert list(report) == [
        *("snapshot", "publish", "hit", "delta", "outage", "ingest")
    ]
    assert report["outage"]["lost"] == report["outage"]["twice"] == 0
    assert report["outage"]["in_order"]
    assert report["snapshot"]["is_country_extrapolated"]
    sync_plot.draw(report, tmp_path / "sync.png")
    assert (tmp_path / "sync.png").stat().st_size > 1000
