"""`edge hub verify-case`: whether an exported case is whole and by this hub."""

from __future__ import annotations

import json
from pathlib import Path

import click

from edge.cli.context import config_option, load
from edge.errors import InputError

LIMIT = 256 * 1024 * 1024


@click.command("verify-case")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--fingerprint",
    default=None,
    help="Of the hub's root keys, as `edge hub trust` shows it there; without it, this "
    "machine's own hub.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@config_option
def verify_case(
    *, file: Path, fingerprint: str | None, as_json: bool, config_path: Path | None
) -> None:
    """Verify FILE, an archive that the console has exported: all of it, or nothing."""
    from edge.console.archive import verify_archive  # noqa: PLC0415  slow to load
    from edge.services.wiring import hub_keys  # noqa: PLC0415

    if fingerprint is None:
        fingerprint = hub_keys(load(config_path)).anchors.fingerprint
    try:
        with file.open("rb") as stream:
            data = stream.read(LIMIT + 1)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error.strerror}") from error
    if len(data) > LIMIT:
        raise InputError(f"{file}: larger than {LIMIT >> 20} MiB")
    found = verify_archive(data, fingerprint=fingerprint, origin=str(file))
    if as_json:
        view = {
            "hit_id": found.hit_id,
            "exported_at": found.exported_at.isoformat(),
            "exported_by": found.exported_by,
            "files": list(found.files),
            "root_fingerprint": found.root_fingerprint,
        }
        click.echo(json.dumps(view, indent=2))
        return
    click.echo(
        f"sound: case {found.hit_id}, {len(found.files)} files, exported by "
        f"{found.exported_by} at {found.exported_at.isoformat()[:19]}"
    )
