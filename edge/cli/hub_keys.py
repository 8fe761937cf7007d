"""`edge hub init`, `admit`, `revoke`, `rotate` and others: keys and booths."""

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from edge.cli.context import config_option, load
from edge.cli.key_files import named, read_outside, write_new
from edge.clock import SystemClock
from edge.errors import ConfigurationError
from edge.services import admission, hub_keys, hub_rotation
from edge.trust.enrolment import from_text
from edge.trust.key_folder import KeyFolder
from edge.trust.keys import key_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edge.config import Config, HubSection
    from edge.services.hub_keys import HubPlace
    from edge.trust.anchors import TrustAnchors

# The store is loaded when a command runs: help must not wait for it.
# ruff: noqa: PLC0415

ROTATIONS = (
    "watchlist",
    "operations",
    "sealing",
    "root",
    "trust",
    "ca",
    "tls",
    "epoch",
)
_RESTART = "start edge-hub again, so that it uses them"

root_option = click.option(
    "--root-dir",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Folder on the medium of a root key; may be given several times.",
)
host_option = click.option(
    "--broker-host", help="Name or address at which booths reach the broker."
)


@click.command("init")
@click.option(
    "--root-dir",
    "roots",
    type=click.Path(path_type=Path),
    multiple=True,
    required=True,
    help="Folder on a removable medium; one root key is made in each that is given.",
)
@click.option(
    "--threshold",
    type=click.IntRange(1, 8),
    default=1,
    show_default=True,
    help="How many root keys must sign a change of keys.",
)
@host_option
@config_option
def init(
    *,
    roots: tuple[Path, ...],
    threshold: int,
    broker_host: str | None,
    config_path: Path | None,
) -> None:
    """Make the hub's keys, certificates, trust document and first epoch."""
    config = load(config_path)
    host = broker_host or _hub(config).broker_host or "localhost"
    with _place(config) as place:
        anchors = hub_keys.init_hub(
            place,
            roots,
            threshold=threshold,
            broker_host=host,
            now=SystemClock().now(),
        )
        folder = place.folder.path
    click.echo(f"keys of watchlist log {anchors.log} made in {folder}")
    click.echo(f"root fingerprint: {anchors.fingerprint}")
    click.echo(f"put away the root keys: {', '.join(str(path) for path in roots)}")


@click.command("admit")
@click.argument("request", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="File for the answer, to carry to the booth; must not exist.",
)
@host_option
@click.option("--broker-port", type=click.IntRange(1, 65535))
@config_option
def admit(
    *,
    request: Path,
    out: Path,
    broker_host: str | None,
    broker_port: int | None,
    config_path: Path | None,
) -> None:
    """Admit the booth of a request file, or give it new keys; write the answer."""
    config = load(config_path)
    with named(request, "a request"), _place(config) as place:
        data = from_text(read_outside(request))
        if out.exists():
            message = f"{out}: is there already, and is not overwritten"
            raise ConfigurationError(message)
        booth, answer = admission.admit_booth(
            place,
            data,
            broker_host=broker_host or _hub(config).broker_host,
            broker_port=broker_port or _hub(config).broker_port,
            now=SystemClock().now(),
        )
        write_new(out, answer)
    click.echo(
        f"{booth.booth_id} admitted with key {key_id(booth.signing).hex()}, which must "
        f"be the one that the booth has shown; answer in {out}"
    )


@click.command("revoke")
@click.argument("booth_id")
@config_option
def revoke(*, booth_id: str, config_path: Path | None) -> None:
    """Shut a booth out, for good or until it is admitted with new keys."""
    with _place(load(config_path)) as place:
        epoch = admission.revoke_booth(place, booth_id, now=SystemClock().now())
    click.echo(
        f"{booth_id} revoked; epoch {epoch} begun, which it cannot read. "
        "Give the broker its new list of revocations: `edge hub broker-config`"
    )


@click.command("rotate")
@click.argument("what", type=click.Choice(ROTATIONS))
@root_option
@host_option
@config_option
def rotate(
    *,
    what: str,
    roots: tuple[Path, ...],
    broker_host: str | None,
    config_path: Path | None,
) -> None:
    """Replace one of the hub's keys.

    \b
    watchlist, operations   sign the log, and everything else that the hub says
    sealing                 what booths seal their messages to
    root                    the root keys in the folders given
    trust                   no key: the trust document, for another term
    ca                      the authority that issues certificates; then wait until
                            all booths have followed, and rotate tls
    tls                     keys and certificates of hub and broker; needs no root
    epoch                   what the watchlist is encrypted with; needs no root
    """  # noqa: D301  \b is click's
    now = SystemClock().now()
    with _place(load(config_path)) as place:
        if what == "epoch":
            epoch = hub_keys.begin_epoch(place, now=now)
            click.echo(f"epoch {epoch} begun")
        elif what == "tls":
            hosts = hub_rotation.rotate_line(place, broker_host=broker_host, now=now)
            click.echo(
                f"certificates of hub and broker ({', '.join(hosts)}) issued; "
                f"{_RESTART}, and the broker after `edge hub broker-config`"
            )
        else:
            anchors = _rotate_by_roots(place, what, _given(roots))
            _tell_trust(anchors)
            click.echo(_RESTART)


@click.command("restart-log")
@root_option
@config_option
def restart_log(*, roots: tuple[Path, ...], config_path: Path | None) -> None:
    """Begin a new watchlist log with the entries that stand.

    Needed after the hub's store was lost or put back from a copy: booths would see a
    fork of the old log, and refuse it.
    """
    with _place(load(config_path)) as place:
        anchors = hub_rotation.restart_log(
            place, _given(roots), now=SystemClock().now()
        )
    click.echo(f"watchlist log {anchors.log} begun")
    _tell_trust(anchors)
    click.echo(_RESTART)


@click.command("trust")
@config_option
def trust(*, config_path: Path | None) -> None:
    """Show the fingerprint of the roots, and which keys say what."""
    from edge.trust.hub_keys import load_hub_keys

    anchors = load_hub_keys(hub_keys.hub_folder(load(config_path))).anchors
    document = anchors.document
    click.echo(f"root fingerprint: {anchors.fingerprint}")
    _tell_trust(anchors)
    click.echo(f"watchlist log: {anchors.log}")
    click.echo(f"signatures of roots needed: {document.threshold}")
    for role in ("roots", "watchlist", "operations", "sealing"):
        names = (key_id(raw).hex() for raw in getattr(document, role))
        click.echo(f"{role}: {', '.join(names)}")


@click.command("broker-config")
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option(
    "--place",
    "place_path",
    help="Where the files will lie on the broker's machine; default: --out itself.",
)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: as configured.")
@click.option("--address", help="To listen on; default: all.")
@click.option("--persistence", help="Folder for what is retained; default: none.")
@config_option
def write_broker_config(
    *,
    out: Path,
    place_path: str | None,
    port: int | None,
    address: str | None,
    persistence: str | None,
    config_path: Path | None,
) -> None:
    """Write Mosquitto's configuration, access list and certificates to a folder.

    Files of an earlier call are replaced.
    """
    config = load(config_path)
    with _place(config) as place:
        files = admission.make_broker_config(
            place,
            folder=place_path or str(out.absolute()),
            port=port or _hub(config).broker_port,
            address=address,
            persistence_folder=persistence,
        )
    folder = KeyFolder(out)
    folder.create()
    folder.replace({name: text.encode() for name, text in files.items()})
    click.echo(f"{', '.join(files)} written to {out}; they must be Mosquitto's own")


KEY_COMMANDS: Sequence[click.Command] = (
    init,
    admit,
    revoke,
    rotate,
    restart_log,
    trust,
    write_broker_config,
)


def _rotate_by_roots(place: HubPlace, what: str, roots: Sequence[Path]) -> TrustAnchors:
    now = SystemClock().now()
    if what == "root":
        return hub_rotation.rotate_roots(place, roots, now=now)
    if what == "trust":
        return hub_rotation.renew_trust(place, roots, now=now)
    if what == "ca":
        return hub_rotation.rotate_authority(place, roots, now=now)
    if what == "sealing":
        return hub_rotation.rotate_sealing(place, roots, now=now)
    return hub_rotation.rotate_signing(place, what, roots, now=now)


def _given(roots: tuple[Path, ...]) -> tuple[Path, ...]:
    if not roots:
        message = "--root-dir: the folder of a root key is needed"
        raise ConfigurationError(message)
    return roots


def _tell_trust(anchors: TrustAnchors) -> None:
    click.echo(
        f"trust document {anchors.version}, valid until {anchors.expires_at:%Y-%m-%d}"
    )


def _hub(config: Config) -> HubSection:
    if config.hub is None:
        message = "no [hub] section in the configuration: this machine is no hub"
        raise ConfigurationError(message)
    return config.hub


@contextmanager
def _place(config: Config) -> Iterator[HubPlace]:
    from edge.store.database import open_database
    from edge.store.hub_log import StoredHubLog
    from edge.store.hub_registry import StoredHubRegistry

    folder = hub_keys.hub_folder(config)
    database = open_database(_hub(config).store, "hub")
    with closing(database.conn):
        yield hub_keys.HubPlace(
            folder, StoredHubLog(database), StoredHubRegistry(database)
        )
