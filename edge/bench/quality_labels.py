"""Quality labels of prints by another program: a CSV file beside folders of prints."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from edge.bench.print_folder import read_folder
from edge.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from edge.bench.print_folder import Impression

COLUMNS = ("set", "image", "ppi_given", "nfiq2")
MOST_ROWS = 100_000
LARGEST_FILE = 32 * 1024 * 1024


@dataclass(frozen=True)
class Label:
    """What the other program said, 0 to 100, and the resolution it was told."""

    ppi: float
    quality: float


@dataclass(frozen=True)
class LabelledPrint:
    impression: Impression
    label: float


def read_labels(path: Path) -> dict[str, dict[str, Label]]:
    """Return the labels by set (the folder's name) and image (the file's name).

    Columns: set, image, ppi_given, nfiq2; others are left out.

    Raises:
        InputError: the file cannot be read, a column is missing, or a row is wrong.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise InputError(f"{path}: larger than {LARGEST_FILE >> 20} MiB")
        with path.open(encoding="utf-8", newline="") as stream:
            return _collected(path, csv.DictReader(stream, strict=True))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no CSV file: {error}") from error


def labelled_sets(
    folders: Sequence[Path], labels: Mapping[str, Mapping[str, Label]]
) -> dict[str, list[LabelledPrint]]:
    """Return the labelled prints of each set, in read_folder's order.

    A folder is a set if its name is one of the labels' sets; otherwise its subfolders
    with such names are. Prints without a label are left out.

    Raises:
        InputError: a folder holds no set, a set is found twice, or a print that the
            labels name is not there.
    """
    found: dict[str, list[LabelledPrint]] = {}
    for folder in folders:
        for place in _sets_in(folder, labels):
            name = place.resolve().name
            if name in found:
                raise InputError(f"{place}: the set {name} is given twice")
            found[name] = _labelled(place, labels[name])
    return found


def _collected(path: Path, rows: csv.DictReader[str]) -> dict[str, dict[str, Label]]:
    missing = [name for name in COLUMNS if name not in (rows.fieldnames or ())]
    if missing:
        raise InputError(
            f"{path}: no column {', '.join(missing)}; "
            f"the first line must name {','.join(COLUMNS)}"
        )
    labels: dict[str, dict[str, Label]] = {}
    for count, row in enumerate(rows):
        if count == MOST_ROWS:
            raise InputError(f"{path}: more than {MOST_ROWS} rows")
        place = f"{path}, line {rows.line_num}"
        images = labels.setdefault(row["set"] or "", {})
        if row["image"] in images:
            raise InputError(f"{place}: {row['image']!a} has a label already")
        images[row["image"] or ""] = _label(place, row)
    if not labels:
        raise InputError(f"{path}: no labels, only the line of names")
    return labels


def _label(place: str, row: Mapping[str, str | None]) -> Label:
    try:
        ppi, quality = float(row["ppi_given"] or ""), float(row["nfiq2"] or "")
    except ValueError as error:
        raise InputError(f"{place}: ppi_given and nfiq2 must be numbers") from error
    if not (math.isfinite(ppi) and 0 <= quality <= 100):
        raise InputError(f"{place}: nfiq2 {quality:g} of {ppi:g} ppi; give 0 to 100")
    return Label(ppi, quality)


def _sets_in(folder: Path, labels: Mapping[str, object]) -> Iterator[Path]:
    if folder.resolve().name in labels:
        yield folder
        return
    try:
        inside = [p for p in sorted(folder.iterdir()) if p.name in labels]
    except OSError as error:
        raise InputError(f"{folder}: cannot be read: {error.strerror}") from error
    if not inside:
        raise InputError(
            f"{folder}: neither a labelled set nor a folder of them; "
            f"the labels know {', '.join(sorted(labels)[:8])}"
        )
    yield from inside


def _labelled(folder: Path, labels: Mapping[str, Label]) -> list[LabelledPrint]:
    prints = {item.path.name: item for item in read_folder(folder)}
    absent = sorted(set(labels) - set(prints))
    if absent:
        raise InputError(f"{folder}: {absent[0]!a} has a label but is not there")
    return [
        LabelledPrint(replace(item, ppi=labels[name].ppi), labels[name].quality)
        for name, item in prints.items()
        if name in labels
    ]
