"""Every message of the booth's screens is there in every language, whole and alike."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from edge.booth.texts import officer_texts, traveller_texts
from edge.web.languages import LANGUAGES

KEYWORDS = {
    "mark": None,
    "mark_plural": (1, 2),
    "_": None,
    "ngettext": (1, 2),
}
TEMPLATES = "**/templates/**.html"
METHODS = [("**.py", "python"), (TEMPLATES, "jinja2")]
OPTIONS = {
    TEMPLATES: {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
}
PLACEHOLDER = re.compile(r"\{\w+\}|%\(\w+\)[sd]")


@cache
def messages():
    found = set()
    for package in ("edge.booth", "edge.web"):
        folder = str(resources.files(package))
        for _file, _line, message, *_ in extract_from_dir(
            folder, METHODS, OPTIONS, keywords=KEYWORDS
        ):
            found.add(message)
    return found


@cache
def catalogue_of(language):
    folder = resources.files("edge.web") / "locale" / language / "LC_MESSAGES"
    with (folder / "booth.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def entry(language, message):
    return catalogue_of(language).get(
        message if isinstance(message, str) else message[0]
    )


def strings_of(found):
    return (found.string,) if isinstance(found.string, str) else found.string


def test_finds_the_messages_of_templates_scripts_and_codes():
    found = messages()

    assert "Sign in" in found
    assert "Start the check" in found
    assert "Put the finger on the scanner" in found
    assert len(found) > 350


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_missing_or_fuzzy(language):
    missing = [
        message
        for message in messages()
        if (found := entry(language, message)) is None
        or found.fuzzy
        or not all(strings_of(found))
    ]

    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_left_over(language):
    known = {m if isinstance(m, str) else m[0] for m in messages()}
    ids = [m.id if isinstance(m.id, str) else m.id[0] for m in catalogue_of(language)]

    assert [left for left in ids if left and left not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_are_those_of_the_message(language):
    for message in messages():
        ids = (message,) if isinstance(message, str) else message
        wanted = set(PLACEHOLDER.findall(ids[-1]))
        for text in strings_of(entry(language, message)):
            assert set(PLACEHOLDER.findall(text)) == wanted, text


@pytest.mark.parametrize("language", ["fr", "es", "ar"])
def test_hardly_anything_is_left_in_english(language):
    same = [
        m
        for m in messages()
        if isinstance(m, str)
        and entry(language, m).string == m
        and PLACEHOLDER.sub("", m).strip(" :s")
    ]

    # Words that are spelt alike in both languages.
    alike = {"Distance", "Note", "Supervisor", "absent", "capture"}
    assert set(same) <= alike


def test_arabic_counts_in_six_ways():
    texts = officer_texts("ar")

    forms = [f"open_hits.{c}" for c in ("zero", "one", "two", "few", "many", "other")]
    assert all("{count}" in texts[form] for form in forms)
    assert len({texts[form] for form in forms[:4]}) == 4


def test_the_traveller_is_told_nothing_of_results():
    for language in LANGUAGES:
        keys = traveller_texts(language)
        assert not [k for k in keys if k.startswith(("outcome", "reason", "hit"))]
