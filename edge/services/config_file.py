"""Configuration files for processes that run on this machine for a while."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def write_config(
    path: Path, booth_id: str, sections: Mapping[str, Mapping[str, Any]]
) -> Path:
    """Write the values of each section; return path."""
    lines = [f'booth_id = "{booth_id}"']
    for section, values in sections.items():
        lines.append(f"\n[{section}]")
        # TOML basic strings and JSON strings agree on every path we make.
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
