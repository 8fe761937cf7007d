"""`edge provision`: the booth's keys, its enrolment at the hub, their renewal."""

from __future__ import annotations

from pathlib import Path

import click

from edge.cli.context import config_option, load
from edge.cli.key_files import named, read_outside, write_new
from edge.clock import SystemClock
from edge.errors import ConfigurationError
from edge.services import provisioning
from edge.trust.certificate_checks import read_certificate
from edge.trust.cose import read_signed
from edge.trust.enrolment import REQUEST_LIMIT, from_text, to_text

out_option = click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="File for the request, to carry to the hub; must not exist.",
)
text_option = click.option(
    "--text", "as_text", is_flag=True, help="Show it as text too."
)
qr_option = click.option(
    "--qr", "as_qr", is_flag=True, help="Draw it as a QR code too, to be photographed."
)


@click.group()
def provision() -> None:
    """Make this booth's keys and enrol it at the hub."""


@provision.command("request")
@out_option
@text_option
@qr_option
@config_option
def request(*, out: Path, as_text: bool, as_qr: bool, config_path: Path | None) -> None:
    """Make this booth's keys and the request that the hub admits it by."""
    config = load(config_path)
    data = provisioning.request_enrolment(
        provisioning.booth_folder(config), config.booth_id, now=SystemClock().now()
    )
    _hand_out(config.booth_id, data, out, as_text=as_text, as_qr=as_qr)


@provision.command("renew")
@out_option
@text_option
@qr_option
@config_option
def renew(*, out: Path, as_text: bool, as_qr: bool, config_path: Path | None) -> None:
    """Make new keys, for which the present ones vouch; those stay until `accept`."""
    config = load(config_path)
    data = provisioning.request_renewal(
        provisioning.booth_folder(config), config.booth_id, now=SystemClock().now()
    )
    _hand_out(config.booth_id, data, out, as_text=as_text, as_qr=as_qr)


@provision.command("accept")
@click.argument("answer", type=click.Path(path_type=Path))
@click.option(
    "--root",
    "fingerprint",
    help="Fingerprint of the hub's roots, as `edge hub trust` shows it there.",
)
@config_option
def accept(*, answer: Path, fingerprint: str | None, config_path: Path | None) -> None:
    """Check the hub's answer and put the keys in place."""
    config = load(config_path)
    with named(answer, "an answer"):
        keys = provisioning.accept_answer(
            provisioning.booth_folder(config),
            config.booth_id,
            from_text(read_outside(answer)),
            fingerprint=fingerprint or config.keys.root_fingerprint,
            now=SystemClock().now(),
        )
    click.echo(
        f"{keys.booth_id} is enrolled with key {keys.signing.public.key_id.hex()}; "
        f"broker {keys.broker_host}:{keys.broker_port}; start edge-sync again"
    )


@provision.command("show")
@config_option
def show(*, config_path: Path | None) -> None:
    """Show this booth's keys, whom it trusts and until when."""
    config = load(config_path)
    folder = provisioning.booth_folder(config)
    keys = provisioning.booth_keys(config)
    certificate = read_certificate(
        keys.certificate.read_bytes(), origin=str(keys.certificate)
    )
    anchors = keys.anchors
    click.echo(f"booth: {keys.booth_id}, keys in {folder.path}")
    click.echo(f"signing key: {keys.signing.public.key_id.hex()}")
    click.echo(f"sealing key: {keys.sealing.public.key_id.hex()}")
    click.echo(f"certificate: valid until {certificate.not_valid_after_utc:%Y-%m-%d}")
    click.echo(f"broker: {keys.broker_host}:{keys.broker_port}")
    click.echo(f"root fingerprint: {anchors.fingerprint}")
    click.echo(
        f"trust document {anchors.version}, valid until {anchors.expires_at:%Y-%m-%d}"
    )
    click.echo(f"watchlist log: {anchors.log}")
    if provisioning.is_waiting(folder):
        click.echo("a request for new keys waits for the hub's answer")


@provision.command("seal")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder for the encrypted keys.",
)
@click.option(
    "--tpm", "is_tpm_alone", is_flag=True, help="By the TPM alone; fails without one."
)
@config_option
def seal(*, target: Path, is_tpm_alone: bool, config_path: Path | None) -> None:
    """Encrypt the keys to this machine (TPM, host secret) as systemd credentials.

    The lines shown go into the unit's [Service]; once the service runs with them, the
    files *.key of the key folder can be destroyed.
    """
    config = load(config_path)
    provisioning.booth_keys(config)
    folder = provisioning.booth_folder(config)
    for line in provisioning.seal_keys(folder, target, is_tpm_alone=is_tpm_alone):
        click.echo(line)


def _hand_out(
    booth_id: str, data: bytes, out: Path, *, as_text: bool, as_qr: bool
) -> None:
    if out.exists():
        message = f"{out}: is there already, and is not overwritten"
        raise ConfigurationError(message)
    write_new(out, data)
    name = read_signed(data, limit=REQUEST_LIMIT).key_id.hex()
    click.echo(f"request of {booth_id} with key {name} in {out}; carry it to the hub")
    if as_text:
        click.echo(to_text(data))
    if as_qr:
        import segno  # noqa: PLC0415  hardly ever wanted

        segno.make_qr(to_text(data), error="l").terminal(compact=True)
