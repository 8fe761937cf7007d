"""What the documents say about the code is so."""

import re
import tomllib
from pathlib import Path

import pytest

from edge.cli.main import COMMANDS
from firmware_bridge.codes import ConfirmationCode

REPOSITORY = Path(__file__).parents[1]
README = (REPOSITORY / "README.md").read_text("utf-8")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]


def section(title):
    """Return the text of a README section."""
    _, _, after = README.partition(f"\n## {title}\n")
    assert after, f"README has no section {title}"
    return after.split("\n## ")[0]


def required_names(requirements):
    return {re.match(r"[\w.-]+", line)[0] for line in requirements}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_shows_each_command(command):
    assert re.search(rf"\bedge {command}\b", README)


def test_the_readme_shows_no_command_that_does_not_exist():
    shown = set(re.findall(r"(?:^|[`/])edge ([a-z]+)", README, re.MULTILINE))
    assert shown <= set(COMMANDS)


def test_the_table_of_dependencies_is_that_of_the_project():
    rows = re.findall(r"^\| ([^|]+) \|", section("Dependencies"), re.MULTILINE)
    named = {name.strip() for row in rows for name in row.split(",")} - {"package"}
    assert named == required_names(PROJECT["dependencies"])


def test_the_tools_for_tests_are_named():
    [line] = re.findall(r"^For tests: (.+)\.$", section("Dependencies"), re.MULTILINE)
    tools = required_names(PROJECT["optional-dependencies"]["test"])
    assert set(line.split(", ")) == tools


def test_the_two_commands_of_the_readme_are_what_the_gate_runs():
    first, second = re.findall(
        r"^```\n(.+)\n```$", section("Two commands"), re.MULTILINE
    )
    gate = (REPOSITORY / ".ci" / "run").read_text("utf-8")
    for step in second.split(" && "):
        # The gate may only quieten the tools.
        pattern = re.escape(step).replace("install\\ ", "install\\ (?:-q\\ )?")
        assert re.search(rf"^{pattern}(?: -.*)?$", gate, re.MULTILINE), step
    assert first.split(" && ")[0] == second.split(" && ")[0]
    assert first.endswith(".venv/bin/edge demo")


def test_every_path_of_the_folder_table_exists():
    rows = re.findall(r"^\| (`[^|]+) \|", section("The folders"), re.MULTILINE)
    assert rows
    for row in rows:
        names = re.findall(r"`([^`]+)`", row)
        folder = Path(names[0]).parent
        for name in names:
            places = [REPOSITORY / name, REPOSITORY / folder / name]
            assert any(place.exists() for place in places), name


def test_every_package_is_in_the_folder_table():
    named = section("The folders")
    for folder in sorted((REPOSITORY / "edge").iterdir()):
        if (folder / "__init__.py").exists():
            assert f"`edge/{folder.name}/`" in named


def test_every_local_link_of_the_documents_leads_somewhere():
    for document in REPOSITORY.glob("[!.]*/**/README.md"):
        assert_links_lead_somewhere(document)
    assert_links_lead_somewhere(REPOSITORY / "README.md")


def assert_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)", document.read_text("utf-8")):
        if "://" not in target:
            assert (document.parent / target).exists(), f"{document}: {target}"


def test_the_bridge_documents_every_confirmation_code():
    text = (REPOSITORY / "firmware_bridge" / "README.md").read_text("utf-8")
    for code in ConfirmationCode:
        words = code.name.lower().replace("_", " ")
        expected = f"{code:02X}h {words}"
        assert re.search(rf"{expected}( \||,)", text), expected


@pytest.mark.parametrize("name", ["booth.example.toml", "hub.example.toml"])
def test_every_key_of_an_example_stands_under_a_comment(name):
    """A comment covers the block of lines below it, up to a blank line."""
    text = (REPOSITORY / "config" / name).read_text("utf-8")
    for block in text.split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("[")]
        if lines:
            assert lines[0].startswith("# "), f"{name}: {lines[0]}"


def test_the_changelog_knows_the_version_or_what_is_unreleased():
    text = (REPOSITORY / "CHANGELOG.md").read_text("utf-8")
    assert "## [Unreleased]" in text or f"## [{PROJECT['version']}]" in text
