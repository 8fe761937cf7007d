"""The configuration file: TOML, typed, strict, every key documented in config/.

One file serves every process of one machine: the booth's processes read what concerns
a booth, the hub reads [hub] and [broker]. An unknown key, a wrong type or a value out
of range is refused with the file, the path of the key, and what is allowed.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from edge.errors import ConfigurationError
from edge.terms import Modality

SYSTEM_FILE = Path("/etc/edge/edge.toml")
FILE_VARIABLE = "EDGE_CONFIG"

_Value = TypeVar("_Value")


def _is_loopback(value: str) -> bool:
    if value == "localhost":
        return True
    try:
        return ip_address(value).is_loopback
    except ValueError:
        return False


def _loopback(value: str) -> str:
    if not _is_loopback(value):
        message = "must be a loopback address such as 127.0.0.1"
        raise ValueError(message)
    return value


def _user_folder(variable: str, fallback: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / fallback) / "edge-checkpoint"


def default_data_dir() -> Path:
    """Return the state folder: systemd's if it gave one, else the user's."""
    state = os.environ.get("STATE_DIRECTORY")
    if state:
        return Path(state.split(":", maxsplit=1)[0])
    return _user_folder("XDG_DATA_HOME", ".local/share")


def default_cache_dir() -> Path:
    """Return the cache folder: systemd's if it gave one, else the user's."""
    cache = os.environ.get("CACHE_DIRECTORY")
    if cache:
        return Path(cache.split(":", maxsplit=1)[0])
    return _user_folder("XDG_CACHE_HOME", ".cache")


Identifier = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="booth or hub id")
]
Port = Annotated[int, Field(ge=1, le=65535)]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


FilePath = Annotated[Path, Field(strict=False), AfterValidator(Path.expanduser)]


class StoreSection(Section):
    """watchlist: None for the file "watchlist.db" beside path."""

    path: FilePath = Field(default_factory=lambda: default_data_dir() / "booth.db")
    watchlist: FilePath | None = None

    @property
    def watchlist_path(self) -> Path:
        return self.watchlist or self.path.with_name("watchlist.db")


class ModelsSection(Section):
    """face: which networks find and compare faces; see `edge models list`."""

    face: Literal["default", "better"] = "default"
    cache_dir: FilePath = Field(default_factory=lambda: default_cache_dir() / "models")
    threads: int = Field(default=2, ge=1, le=64)


class SearchSection(Section):
    """gallery: None for a folder beside the store. threads: 0 for one a processor."""

    gallery: FilePath | None = None
    threads: int = Field(default=0, ge=0, le=64)


DeviceName = Annotated[str, Field(min_length=1, max_length=60)]


class ScannerSection(Section):
    enabled: bool = True
    name: DeviceName = "scanner"
    socket: FilePath = Path("/run/edge/scanner.sock")
    timeout_s: float = Field(default=20.0, gt=0, le=120)


class CameraSection(Section):
    enabled: bool = True
    name: DeviceName = "camera"
    source: str = Field(default="/dev/video0", min_length=1)
    timeout_s: float = Field(default=10.0, gt=0, le=120)
    burst_s: float = Field(default=0.4, ge=0, le=10)


def _each_once(values: tuple[_Value, ...]) -> tuple[_Value, ...]:
    if len(set(values)) < len(values):
        message = "must name each once"
        raise ValueError(message)
    return values


# A file has names and numbers where the software has terms.
SampleOrder = Annotated[
    tuple[Annotated[Modality, Field(strict=False)], ...],
    Field(strict=False, min_length=2, max_length=2),
    AfterValidator(_each_once),
]
ExtraFingers = Annotated[
    tuple[Annotated[int, Field(ge=1, le=10)], ...],
    Field(strict=False, max_length=9),
    AfterValidator(_each_once),
]
Threshold = Annotated[int, Field(ge=0, le=100)]


class FingerThresholdsSection(Section):
    thumb: Threshold
    index: Threshold
    middle: Threshold
    ring: Threshold
    little: Threshold


class FingerQualitySection(Section):
    """Defaults of BSI TR-03121-3, volume border control."""

    search: FingerThresholdsSection = FingerThresholdsSection(
        thumb=20, index=20, middle=20, ring=10, little=10
    )
    enrolment: FingerThresholdsSection = FingerThresholdsSection(
        thumb=30, index=30, middle=20, ring=10, little=10
    )
    rolled: FingerThresholdsSection = FingerThresholdsSection(
        thumb=20, index=15, middle=15, ring=10, little=5
    )


class PolicySection(Section):
    max_attempts: int = Field(default=3, ge=1, le=10)
    finger_false_match_rate: float = Field(default=1e-6, gt=0, le=1e-2)
    finger_false_positive_identification_rate: float = Field(
        default=1e-3, gt=0, le=1e-1
    )
    face_false_match_rate: float = Field(default=1e-5, gt=0, le=1e-2)
    face_false_positive_identification_rate: float = Field(default=1e-2, gt=0, le=1e-1)
    fused_false_match_rate: float = Field(default=1e-6, gt=0, le=1e-2)
    fused_false_positive_identification_rate: float = Field(default=1e-3, gt=0, le=1e-1)
    sample_order: SampleOrder = (Modality.FINGERPRINT, Modality.FACE)
    extra_fingers: ExtraFingers = (7,)
    extra_finger_rate: float = Field(default=1e-2, ge=0, le=1e-1)
    check_time_s: float = Field(default=120.0, ge=5, le=600)
    second_officer: bool = True
    watchlist_stale_after_h: float = Field(default=24.0, gt=0, le=8760)
    watchlist_degraded_after_h: float = Field(default=24.0 * 40, ge=0, le=87600)
    presentation_attack: Literal["off", "inform", "second_look"] = "inform"
    presentation_attack_threshold: float = Field(default=0.5, gt=0, lt=1)
    finger_quality: FingerQualitySection = Field(default_factory=FingerQualitySection)


class BrokerSection(Section):
    """certificates: "enrolment" takes them from the key folder, a booth its host too.

    "configured" takes what stands here; without ca_file that is a line without TLS.
    """

    certificates: Literal["enrolment", "configured"] = "enrolment"
    host: str = Field(default="127.0.0.1", min_length=1)
    port: Port = 8883
    username: str | None = None
    password_file: FilePath | None = None
    ca_file: FilePath | None = None
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    keepalive_s: int = Field(default=30, ge=5, le=3600)
    protocol: Literal["auto", "5", "3.1.1"] = "auto"


class DiskSection(Section):
    low_mb: int = Field(default=2000, ge=1, le=1_000_000)


class WebSection(Section):
    host: Annotated[str, AfterValidator(_loopback)] = "127.0.0.1"
    port: Port = 8710


class AccessSection(Section):
    """Of everybody who signs in at a screen of this machine."""

    idle_s: float = Field(default=600.0, ge=10, le=24 * 3600)
    longest_h: float = Field(default=12.0, gt=0, le=24)
    failures: int = Field(default=5, ge=2, le=20)
    lockout_s: float = Field(default=900.0, ge=1, le=24 * 3600)


class KeysSection(Section):
    """root_fingerprint: of the hub's root keys, hex digits in groups of four."""

    folder: FilePath = Field(default_factory=lambda: default_data_dir() / "keys")
    root_fingerprint: str | None = Field(default=None, pattern=r"^[0-9a-fA-F: -]+$")


class HubSection(Section):
    """broker_host: how booths reach the broker; None as its certificate says."""

    store: FilePath = Field(default_factory=lambda: default_data_dir() / "hub.db")
    poll_s: float = Field(default=0.2, ge=0.02, le=60)
    keys: FilePath = Field(default_factory=lambda: default_data_dir() / "hub-keys")
    broker_host: str | None = Field(default=None, min_length=1, max_length=253)
    broker_port: Port = 8883
    head_every_s: float = Field(default=60.0, ge=1, le=3600)
    head_valid_s: float = Field(default=3600.0, ge=60, le=7 * 24 * 3600)
    late_after_s: float = Field(default=300.0, ge=1, le=7 * 24 * 3600)


class ConsoleSection(Section):
    """certificate_file, key_file: with them the console is served over TLS.

    names: under which browsers reach it; loopback's names always.
    """

    host: str = Field(default="127.0.0.1", min_length=1, max_length=253)
    port: Port = 8720
    names: tuple[str, ...] = Field(default=(), strict=False, max_length=16)
    certificate_file: FilePath | None = None
    key_file: FilePath | None = None
    overdue_after_s: float = Field(default=60.0, ge=5, le=24 * 3600)
    lost_after_s: float = Field(default=300.0, ge=5, le=7 * 24 * 3600)
    stale_after_s: float = Field(default=600.0, ge=60, le=30 * 24 * 3600)
    stale_changes: int = Field(default=1000, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file: both or none")
        if self.certificate_file is None and not _is_loopback(self.host):
            message = "host: beyond loopback only with certificate_file and key_file"
            raise ValueError(message)
        if self.lost_after_s < self.overdue_after_s:
            raise ValueError("lost_after_s: not before overdue_after_s")
        return self


class Config(Section):
    booth_id: Identifier = "booth-1"
    store: StoreSection = Field(default_factory=StoreSection)
    models: ModelsSection = Field(default_factory=ModelsSection)
    search: SearchSection = Field(default_factory=SearchSection)
    scanner: ScannerSection = Field(default_factory=ScannerSection)
    camera: CameraSection = Field(default_factory=CameraSection)
    policy: PolicySection = Field(default_factory=PolicySection)
    broker: BrokerSection = Field(default_factory=BrokerSection)
    disk: DiskSection = Field(default_factory=DiskSection)
    web: WebSection = Field(default_factory=WebSection)
    access: AccessSection = Field(default_factory=AccessSection)
    keys: KeysSection = Field(default_factory=KeysSection)
    hub: HubSection | None = None
    console: ConsoleSection = Field(default_factory=ConsoleSection)


def load_config(path: Path | None = None) -> Config:
    """Read path, else $EDGE_CONFIG, else /etc/edge/edge.toml, else the defaults.

    Raises:
        ConfigurationError: names the file, the key path and what is allowed.
    """
    chosen = path or _configured_file()
    if chosen is None:
        return Config()
    try:
        text = chosen.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        message = f"{chosen}: cannot read the configuration: {reason}"
        raise ConfigurationError(message) from error
    return parse_config(text, origin=str(chosen))


def parse_config(text: str, *, origin: str) -> Config:
    """Parse TOML text; origin names the file in messages.

    Raises:
        ConfigurationError: names origin, the key path and what is allowed.
    """
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message = f"{origin}: not valid TOML: {error}"
        raise ConfigurationError(message) from error
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        problems = "; ".join(_problem(item) for item in error.errors()[:5])
        message = f"{origin}: {problems}"
        raise ConfigurationError(message) from error


def _configured_file() -> Path | None:
    variable = os.environ.get(FILE_VARIABLE)
    if variable:
        return Path(variable)
    return SYSTEM_FILE if SYSTEM_FILE.is_file() else None


def _problem(item: Any) -> str:  # noqa: ANN401  pydantic's ErrorDetails is loosely typed
    path = [str(part) for part in item["loc"]]
    key = ".".join(path)
    if item["type"] != "extra_forbidden":
        shown = repr(item["input"])[:60]
        return f"{key} = {shown}: {_lower_first(item['msg'])}"
    known = _known_keys(path[:-1])
    close = difflib.get_close_matches(path[-1], known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"allowed: {', '.join(known)}"
    return f"{key}: unknown key; {hint}"


def _known_keys(path: list[str]) -> list[str]:
    section: type[BaseModel] = Config
    for part in path:
        field = section.model_fields.get(part)
        if field is None:
            return []
        kinds = [field.annotation, *get_args(field.annotation)]
        nested = [k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)]
        if not nested:
            return []
        section = nested[0]
    return list(section.model_fields)


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
