"""`edge hub hits` and `edge hub hit`: what the booths have found."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from edge.cli.context import config_option, load
from edge.errors import InputError
from edge.logs import safe_label
from edge.services.hub_desk import open_desk
from edge.terms import DecisionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge.records.hub_values import StoredDecision, StoredHit
    from edge.terms import Candidate, Evidence

EXTENSIONS = {"image/png": "png", "image/jpeg": "jpg", "application/json": "json"}


@click.command("hits")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50)
@click.option("--booth", "booth_id", default=None, help="Only of this booth.")
@click.option(
    "--since", type=click.DateTime(), default=None, help="Received since (UTC)."
)
@click.option("--historical", is_flag=True, help="Only those that came late.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON array.")
@config_option
def list_hits(
    *,
    limit: int,
    booth_id: str | None,
    since: datetime | None,
    historical: bool,
    as_json: bool,
    config_path: Path | None,
) -> None:
    """Show the hits received, newest last."""
    with open_desk(load(config_path)) as desk:
        hits = desk.stores.messages.hits(
            limit=limit,
            booth_id=booth_id,
            since=None if since is None else since.replace(tzinfo=UTC),
            is_historical=True if historical else None,
        )
        messages = desk.stores.messages
        views = [_hit_view(hit, messages.decisions(hit.hit.hit_id)) for hit in hits]
    if as_json:
        click.echo(json.dumps(views, indent=2))
        return
    table = Table("received", "booth", "no.", "entry", "by", "false match rate")
    # Whole on the narrowest terminal: a drill that is not marked is an alarm.
    longest = max(map(len, DecisionState))
    table.add_column("decision", min_width=longest)
    table.add_column("hit", no_wrap=True)
    for stored, view in zip(hits, views, strict=True):
        table.add_row(
            view["received_at"][:19] + (" late" if stored.is_historical else ""),
            safe_label(view["booth_id"]),
            str(view["sequence"]),
            safe_label(view["entry_id"]),
            ", ".join(view["modalities"]),
            f"{view['false_match_rate']:.1e}",
            ("DRILL\n" if view["is_drill"] else "") + view["decision"],
            view["hit_id"][:8],
        )
    Console().print(table)


@click.command("hit")
@click.argument("hit_id")
@click.option(
    "--save-evidence",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Write the images into this folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
def show_hit(
    *, hit_id: str, folder: Path | None, as_json: bool, config_path: Path | None
) -> None:
    """Show one hit; HIT_ID may be its beginning. Every look is audited."""
    with open_desk(load(config_path)) as desk:
        stored = desk.hit(hit_id)
        decisions = desk.stores.messages.decisions(stored.hit.hit_id)
    saved = [] if folder is None else _save_evidence(stored, folder)
    view = _hit_view(stored, decisions) | {
        "check_id": stored.hit.check_id,
        "stream": stored.stream,
        "candidates": [_candidate_view(c) for c in stored.hit.candidates],
        "evidence": [_evidence_view(e) for e in stored.hit.evidence],
        "verdicts": [_verdict_view(item) for item in decisions],
        "saved": [str(path) for path in saved],
    }
    if as_json:
        click.echo(json.dumps(view, indent=2))
        return
    _print_hit(view)


def _print_hit(view: dict[str, Any]) -> None:
    parts = {"candidates", "evidence", "saved", "modalities", "verdicts"}
    for key, value in view.items():
        if key not in parts:
            click.echo(f"{key:>17}  {safe_label(str(value))}")
    candidates = Table("entry", "reference", "by", "position", "score", "rate")
    for item in view["candidates"]:
        candidates.add_row(
            safe_label(item["entry_id"]),
            safe_label(item["reference_id"]),
            item["modality"],
            item["position"],
            f"{item['score']:.2f}",
            f"{item['false_match_rate']:.1e}",
        )
    samples = Table("entry", "sample", "position", "rate", "log10 ratio", "decided")
    for item in view["candidates"]:
        for sample in item["samples"]:
            samples.add_row(
                safe_label(item["entry_id"]),
                sample["modality"],
                sample["position"],
                f"{sample['false_match_rate']:.1e}",
                f"{sample['log10_ratio']:+.1f}",
                "yes" if sample["is_deciding"] else "",
            )
    evidence = Table("evidence of", "position", "type", "bytes")
    for item in view["evidence"]:
        evidence.add_row(
            item["modality"],
            item["position"],
            safe_label(item["media_type"]),
            str(item["size_bytes"]),
        )
    console = Console()
    if view["verdicts"]:
        console.print(_verdict_table(view["verdicts"]))
    console.print(candidates)
    if samples.row_count:
        console.print(samples)
    console.print(evidence)
    for path in view["saved"]:
        click.echo(f"{'saved':>17}  {path}")


def _verdict_table(verdicts: list[dict[str, Any]]) -> Table:
    table = Table("at", "officer", "verdict", "reason", "note")
    for item in verdicts:
        table.add_row(
            item["at"][:19],
            safe_label(item["officer"]),
            item["verdict"],
            item["reason"],
            safe_label(item["note"]),
        )
    return table


def _save_evidence(stored: StoredHit, folder: Path) -> list[Path]:
    saved = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for number, item in enumerate(stored.hit.evidence, start=1):
            extension = EXTENSIONS.get(item.media_type, "bin")
            # Numbered, not named: nothing that a booth sent becomes a file name.
            path = folder / f"evidence-{stored.number}-{number}.{extension}"
            path.touch(mode=0o600)
            path.write_bytes(item.data)
            saved.append(path)
    except OSError as error:
        message = f"{folder}: cannot save the evidence: {error.strerror}"
        raise InputError(message) from error
    return saved


def _hit_view(stored: StoredHit, decisions: Sequence[StoredDecision]) -> dict[str, Any]:
    hit = stored.hit
    last = decisions[-1].decision.state if decisions else DecisionState.UNDECIDED
    rates = [c.score.false_match_rate for c in hit.candidates]
    return {
        "hit_id": hit.hit_id,
        "booth_id": hit.booth_id,
        "sequence": stored.sequence,
        "entry_id": hit.entry_id,
        "entry_version": hit.entry_version,
        "occurred_at": hit.occurred_at.isoformat(),
        "received_at": stored.received_at.isoformat(),
        "is_historical": stored.is_historical,
        "skew_s": stored.skew_s,
        "modalities": sorted({str(c.modality) for c in hit.candidates}),
        "false_match_rate": min(rates, default=1.0),
        "evidence": [e.media_type for e in hit.evidence],
        "decision": str(last),
        "is_drill": hit.is_drill,
    }


def _verdict_view(stored: StoredDecision) -> dict[str, Any]:
    said = stored.decision.verdict
    return {
        "number": stored.decision.number,
        "officer": said.officer,
        "verdict": str(said.verdict),
        "reason": str(said.reason),
        "note": said.note,
        "at": said.at.isoformat(),
        "received_at": stored.received_at.isoformat(),
        "state": str(stored.decision.state),
    }


def _candidate_view(candidate: Candidate) -> dict[str, Any]:
    return {
        "entry_id": candidate.entry_id,
        "reference_id": candidate.reference_id,
        "modality": str(candidate.modality),
        "position": candidate.position.name.lower().replace("_", " "),
        "score": candidate.score.value,
        "false_match_rate": candidate.score.false_match_rate,
        "samples": [
            {
                "modality": str(sample.modality),
                "position": sample.position.name.lower().replace("_", " "),
                "reference_id": sample.reference_id,
                "score": sample.score.value,
                "false_match_rate": sample.score.false_match_rate,
                "log10_ratio": sample.log10_ratio,
                "is_deciding": sample.is_deciding,
            }
            for sample in candidate.samples
        ],
    }


def _evidence_view(evidence: Evidence) -> dict[str, Any]:
    return {
        "modality": str(evidence.modality),
        "position": evidence.position.name.lower().replace("_", " "),
        "media_type": evidence.media_type,
        "size_bytes": len(evidence.data),
    }
