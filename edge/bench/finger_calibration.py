"""Make the calibration of the fingerprint comparison, and test it on other prints.

read      extract all real prints
invent    as many fingers as asked for
compare   real with real, real with invented, invented with invented
tables    one for each source of templates
checks    how well they hold
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from edge.bench.calibration_checks import left_out, observed, sources, tail_held_out
from edge.bench.calibration_fit import METHOD
from edge.bench.calibration_pairs import (
    KEPT_FROM,
    PairScores,
    Prints,
    Task,
    compare_all,
    invented_prints,
    real_prints,
)
from edge.bench.calibration_table import table_of, with_band
from edge.bench.print_folder import read_folder
from edge.bench.progress import mapped
from edge.recognition.fingerprint.calibration import (
    CalibrationFile,
    TemplateSource,
    engine_digest,
)
from edge.recognition.fingerprint.engine import MODEL_ID
from edge.recognition.fingerprint.training_set import TrainingPrint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from edge.bench.print_folder import Impression
    from edge.bench.progress import Progress
    from edge.ports import FingerprintRecognition
    from edge.recognition.fingerprint.calibration import Calibration

SEED = 20_000


@dataclass(frozen=True)
class Plan:
    """invented: how many fingers. same_fingers: sets that share their fingers."""

    invented: int
    same_fingers: Sequence[frozenset[str]]
    threads: int
    progress: Progress


def make(prints: Sequence[TrainingPrint], plan: Plan) -> CalibrationFile:
    """Compare all pairs and return the calibration.

    Raises:
        InputError: there are too few prints.
    """
    names = sorted({item.set_name for item in prints})
    ours, foreign = real_prints(prints, plan.same_fingers)
    new_ours, new_foreign = invented_prints(
        SEED, plan.invented, int(ours.finger.max()) + 1, plan.threads
    )
    tables: dict[TemplateSource, Calibration] = {}
    checks: dict[str, Any] = {}
    pairs = {
        TemplateSource.OURS: _ours(ours, new_ours, plan),
        TemplateSource.FOREIGN: _foreign(ours, foreign, new_ours, new_foreign, plan),
    }
    for source, (kinds, invented) in pairs.items():
        table = table_of(kinds, invented)
        tables[source] = with_band(table, kinds, invented, SEED, plan.progress)
        checks[source.value] = {
            "rates_at_the_same_score": sources(kinds, invented),
            "tail_observed_to_stated": tail_held_out(invented),
            "each_set_left_out": left_out(kinds, invented, names),
        }
    return CalibrationFile(MODEL_ID, engine_digest(), METHOD, tables, checks)


def read_prints(
    recognition: FingerprintRecognition,
    folders: Mapping[Path, float],
    threads: int,
    progress: Progress,
) -> list[TrainingPrint]:
    """Extract every print of the folders; folders: their resolutions in ppi.

    Raises:
        InputError: a folder or an image in it cannot be used.
        ModelError: the network fails.
    """
    found: list[TrainingPrint] = []
    for folder, ppi in folders.items():

        def extracted(one: Impression, name: str = folder.name) -> TrainingPrint:
            template = recognition.extract(one.sample())
            return TrainingPrint(name, one.finger, one.path.stem, template)

        found += mapped(
            extracted,
            read_folder(folder, ppi),
            threads=threads,
            progress=progress,
            text=f"extract {folder.name}",
        )
    return found


def check(
    prints: Sequence[TrainingPrint],
    plan: Plan,
    tables: Mapping[TemplateSource, Calibration],
) -> dict[str, Any]:
    """Return what non-mated pairs of these prints do at the stated thresholds.

    Raises:
        InputError: there are no two fingers.
    """
    ours, foreign = real_prints(prints, plan.same_fingers)
    report: dict[str, Any] = {}
    for source, references in (
        (TemplateSource.OURS, ours),
        (TemplateSource.FOREIGN, foreign),
    ):
        is_half = source is TemplateSource.OURS
        task = Task(f"check {source}", is_half, 0.0, plan.threads, plan.progress)
        pairs = compare_all(ours, references, task)
        is_within = pairs.first_set == pairs.second_set
        parts = {"within": pairs.where(is_within), "across": pairs.where(~is_within)}
        report[source.value] = {
            name: observed(part, tables[source])
            for name, part in parts.items()
            if part.count
        }
    return report


def _ours(
    real: Prints, invented: Prints, plan: Plan
) -> tuple[list[PairScores], PairScores]:
    both = _compared(real, real, "real", plan, is_half=True, kept_from=0.0)
    mixed = _compared(real, invented, "real with invented", plan)
    new = _compared(invented, invented, "invented", plan, is_half=True)
    return [both.within_sets(), both, mixed], new


def _foreign(
    ours: Prints, foreign: Prints, new_ours: Prints, new_foreign: Prints, plan: Plan
) -> tuple[list[PairScores], PairScores]:
    one = _compared(ours, foreign, "real one foreign", plan, kept_from=0.0)
    two = _compared(
        foreign, foreign, "real both foreign", plan, is_half=True, kept_from=0.0
    )
    mixed = [
        _compared(ours, new_foreign, "real with foreign invented", plan),
        _compared(foreign, new_ours, "foreign real with invented", plan),
    ]
    new = _compared(new_ours, new_foreign, "invented one foreign", plan, is_half=True)
    return [one.within_sets(), one, two.within_sets(), two, *mixed], new


def _compared(
    probes: Prints,
    references: Prints,
    name: str,
    plan: Plan,
    *,
    is_half: bool = False,
    kept_from: float = KEPT_FROM,
) -> PairScores:
    task = Task(name, is_half, kept_from, plan.threads, plan.progress)
    return compare_all(probes, references, task)
