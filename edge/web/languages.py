"""The languages of the screens: catalogues of gettext, read from their text form.

The .po files are the source and are read as they are: there is nothing to build.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from edge.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

# Each in its own words, as the language button shows them.
LANGUAGES = {"en": "English", "fr": "Français", "es": "Español", "ar": "العربية"}
RIGHT_TO_LEFT = frozenset({"ar"})
FALLBACK = "en"


@cache
def catalogue(language: str, domain: str = "booth") -> gettext.NullTranslations:
    """Return the messages of a language; those of a missing file stay as written.

    Raises:
        ConfigurationError: the file is damaged.
    """
    folder = resources.files("edge.web") / "locale" / language / "LC_MESSAGES"
    file = folder / f"{domain}.po"
    if not file.is_file():
        return gettext.NullTranslations()
    binary = io.BytesIO()
    try:
        with file.open("rb") as text:
            write_mo(binary, read_po(text, locale=language, abort_invalid=True))
    except (ValueError, OSError) as error:
        message = f"{domain}.po of {language}: {error}"
        raise ConfigurationError(message) from error
    binary.seek(0)
    return gettext.GNUTranslations(binary)


def direction(language: str) -> str:
    """Return "rtl" for scripts that run from right to left, else "ltr"."""
    return "rtl" if language in RIGHT_TO_LEFT else "ltr"


def chosen_language(wanted: str | None, headers: Mapping[str, str]) -> str:
    """Return a language there is: the wanted one, else what the browser asks for."""
    if wanted in LANGUAGES:
        return str(wanted)
    for part in headers.get("accept-language", "").split(","):
        code = part.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return FALLBACK
