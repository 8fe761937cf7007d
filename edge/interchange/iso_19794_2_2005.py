"""ISO/IEC 19794-2:2005, the record format (not the formats for cards).

Header: "FMR" 0, " 20" 0, u32 record length, then as in classic_views. 256 steps of
angle make a full turn; a minutia's quality of 0 is "not reported". Impressions are 0 to
15.
"""

from __future__ import annotations

from edge.interchange.classic_views import read_views, write_views
from edge.interchange.minutia_rows import ISO_2005_RULES
from edge.interchange.minutiae_record import FingerMinutiaeRecord, RecordFormat
from edge.interchange.record_fields import FieldReader, FieldWriter

MAGIC = b"FMR\0"
VERSION = b" 20\0"
_LENGTH_AT, _LENGTH_END = 8, 12


def read(reader: FieldReader) -> FingerMinutiaeRecord:
    """Read a whole record.

    Raises:
        InputError: names the byte and the field.
    """
    reader.take(_LENGTH_AT, "format and version")
    reader.require_length(reader.unsigned(4, "record length"), _LENGTH_AT)
    views = read_views(reader, ISO_2005_RULES)
    return FingerMinutiaeRecord(RecordFormat.ISO_2005, views)


def write(record: FingerMinutiaeRecord) -> bytes:
    """Write a whole record.

    Raises:
        InputError: a value does not fit the format.
    """
    rest = write_views(record.views, ISO_2005_RULES)
    out = FieldWriter()
    out.append(MAGIC + VERSION)
    out.unsigned(_LENGTH_END + len(rest), 4, "record length")
    out.append(rest)
    return out.joined()
