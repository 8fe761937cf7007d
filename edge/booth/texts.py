"""The texts of the booth's scripts in a reader's language."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from babel import Locale

from edge.booth.wording import COUNTED, MESSAGES
from edge.booth.wording_codes import CODES
from edge.booth.wording_modes import MODES
from edge.booth.wording_pages import SUPERVISOR, TRAVELLER
from edge.web.languages import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

SAMPLES = (*range(201), 1_000, 1_000_000)


@cache
def officer_texts(language: str) -> dict[str, str]:
    """Return key -> text of the officer's and the supervisor's pages."""
    words = {**MESSAGES, **CODES, **MODES, **SUPERVISOR}
    return {**_translated(words, language), **_counted(language)}


@cache
def traveller_texts(language: str) -> dict[str, str]:
    """Return key -> text of the traveller's view: instructions, nothing of results."""
    allowed = ("finger.", "finger_instruction.", "face_instruction.")
    codes = {key: text for key, text in CODES.items() if key.startswith(allowed)}
    return _translated({**codes, **TRAVELLER}, language)


def _translated(words: Mapping[str, str], language: str) -> dict[str, str]:
    say = catalogue(language).gettext
    return {key: say(text) for key, text in words.items()}


def _counted(language: str) -> dict[str, str]:
    """Return "<key>.<plural category>" -> text, the categories being those of CLDR.

    A browser knows the category of a number, gettext the form of one: a number of each
    category joins them.
    """
    form_of = Locale.parse(language).plural_form
    numbers = {form_of(number): number for number in reversed(SAMPLES)}
    say = catalogue(language).ngettext
    return {
        f"{key}.{category}": say(*pair, number)
        for key, pair in COUNTED.items()
        for category, number in numbers.items()
    }
