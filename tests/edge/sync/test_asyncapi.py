"""The AsyncAPI document beside the code says what the code does."""

import importlib
import json
import pkgutil
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cbor2
import numpy as np
import pytest

import edge.replication
import edge.sync
from edge.records.changes import CHANGE_LIMIT, REFERENCES_LIMIT, encode_change
from edge.records.decisions import (
    DECISION_LIMIT,
    NOTE_LIMIT,
    VERDICTS_LIMIT,
    encode_decision,
)
from edge.records.hits import CANDIDATES_LIMIT, HIT_LIMIT, ITEMS_LIMIT, encode_hit
from edge.records.message_map import (
    _BOOTH_ID,
    MAX_MESSAGE_BYTES,
    VERSION,
    MessageMap,
)
from edge.simulate.hit_source import invented_hit
from edge.sync.topics import (
    ROOT,
    BoothChannel,
    BoothTopic,
    HubChannel,
    HubTopic,
    booth_subscriptions,
    hub_subscriptions,
)
from edge.terms import (
    ChangeOperation,
    DecisionState,
    FaceTemplate,
    FingerPosition,
    HitDecision,
    Modality,
    OfficerVerdict,
    Reference,
    Verdict,
    VerdictReason,
    WatchlistChange,
    WatchlistEntry,
)

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
PATH = Path(edge.sync.__file__).with_name("asyncapi.json")
DOCUMENT = json.loads(PATH.read_text("utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]
MESSAGES = DOCUMENT["components"]["messages"]
CHANNELS = DOCUMENT["channels"]
OPERATIONS = DOCUMENT["operations"]
BOOTH = "{boothId}"
# Not message maps: the records of older make, whose encoders are looked at below.
RECORDS = {"hit", "change", "decision"}
# What a schema says besides the code: for people.
WORDS = {"description", "title", "format"}


def message_classes():
    """Return every message of the wire, by its type."""
    modules = ["edge.trust.anchors", "edge.trust.grants"]
    for package in (edge.sync, edge.replication):
        found = pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
        modules += [module.name for module in found]
    for name in modules:
        importlib.import_module(name)
    found = {}
    waiting = deque(MessageMap.__subclasses__())
    while waiting:
        kind = waiting.popleft()
        waiting += kind.__subclasses__()
        if kind.__module__ in modules and hasattr(kind, "type_name"):
            found[kind.type_name] = kind
    return found


CLASSES = message_classes()


def shape_of(kind):
    """Return the JSON schema of a message, as the document writes it."""
    written = kind.model_json_schema(mode="serialization")
    read = kind.model_json_schema(mode="validation")
    definitions = written.get("$defs", {})
    read_definitions = read.get("$defs", {})
    body = shape(written, definitions, read, read_definitions)
    properties = {
        "v": {"const": VERSION},
        "type": {"const": kind.type_name},
        **body["properties"],
    }
    return {
        "type": "object",
        "additionalProperties": False,
        "required": list(properties),
        "properties": properties,
    }


def shape(written, definitions, read, read_definitions):
    """Return a schema without references, titles and words, instants as integers."""
    if "$ref" in written:
        name = written["$ref"].rpartition("/")[2]
        return shape(
            definitions[name], definitions, read_definitions[name], read_definitions
        )
    if read.get("format") == "date-time":
        return {"type": "integer", "minimum": 0}
    found = {}
    for key, value in written.items():
        other = read.get(key, value)
        if key in WORDS | {"$defs"}:
            continue
        if key == "properties":
            found[key] = {
                name: named(
                    name, shape(item, definitions, other[name], read_definitions)
                )
                for name, item in value.items()
            }
        elif key in ("items", "additionalProperties") and isinstance(value, dict):
            found[key] = shape(value, definitions, other, read_definitions)
        elif key in ("anyOf", "prefixItems"):
            pairs = zip(value, other, strict=True)
            found[key] = [
                shape(item, definitions, its, read_definitions) for item, its in pairs
            ]
        else:
            found[key] = value
    if "format" in written:
        found["format"] = written["format"]
    return found


def named(name, found):
    """Add the rule that the code keeps in a function."""
    if name == "booth_id":
        return {**found, "pattern": f"^{_BOOTH_ID.pattern}$"}
    return found


def without_words(schema):
    """Return a schema of the document without what it says for people."""
    if isinstance(schema, list):
        return [without_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: (
            {name: without_words(item) for name, item in value.items()}
            if key == "properties"
            else without_words(value)
        )
        for key, value in schema.items()
        if not key.startswith("x-")
        and not (key in WORDS and (key != "format" or value != "binary"))
    }


def target(reference):
    """Return what a reference within the document points at."""
    found = DOCUMENT
    for part in reference["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found


def schema_names(value):
    """Return the names of all schemas that a part of the document points at."""
    if isinstance(value, list):
        return set().union(*map(schema_names, value))
    if not isinstance(value, dict):
        return set()
    prefix = "#/components/schemas/"
    found = set().union(*map(schema_names, value.values()))
    name = value.get("$ref", "")
    if isinstance(name, str) and name.startswith(prefix):
        found.add(name.removeprefix(prefix))
    return found


def addresses():
    booths = [str(BoothTopic(BOOTH, channel)) for channel in BoothChannel]
    return {*booths, *(str(HubTopic(channel)) for channel in HubChannel)}


def test_it_is_an_asyncapi_document_of_version_3():
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"info", "servers", "channels", "operations", "components"} <= set(DOCUMENT)
    assert DOCUMENT["defaultContentType"] == "application/cbor"


def test_its_channels_are_the_topics():
    assert {channel["address"] for channel in CHANNELS.values()} == addresses()
    for channel in CHANNELS.values():
        has_booth = BOOTH in channel["address"]
        assert set(channel.get("parameters", {})) == (
            {"boothId"} if has_booth else set()
        )


def test_every_reference_in_it_leads_somewhere():
    def visit(value):
        if isinstance(value, list):
            for item in value:
                visit(item)
        elif isinstance(value, dict):
            if "$ref" in value:
                target(value)
            for item in value.values():
                visit(item)

    visit(DOCUMENT)


def test_every_message_of_the_code_is_in_it_and_no_other():
    assert set(SCHEMAS) - RECORDS == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_a_message_has_the_fields_types_and_limits_of_the_code(name):
    assert without_words(SCHEMAS[name]) == shape_of(CLASSES[name])


def test_every_schema_travels_on_some_channel():
    waiting = deque(
        target(message)
        for channel in CHANNELS.values()
        for message in channel["messages"].values()
    )
    found = set()
    while waiting:
        names = schema_names(waiting.popleft()) - found
        found |= names
        waiting += [SCHEMAS[name] for name in names]
    assert found == set(SCHEMAS)


def test_the_operations_are_what_booth_and_hub_subscribe_to():
    heard = {"booth": set(), "hub": set()}
    spoken = {"booth": set(), "hub": set()}
    for operation in OPERATIONS.values():
        address = target(operation["channel"])["address"]
        side = heard if operation["action"] == "receive" else spoken
        side[operation["x-role"]].add(address)
        assert operation["bindings"]["mqtt"]["qos"] == 1
    plus = {address.replace(BOOTH, "+") for address in heard["hub"]}
    assert plus == set(hub_subscriptions())
    assert heard["booth"] == set(booth_subscriptions(BOOTH))
    assert spoken["booth"] | spoken["hub"] == addresses()
    assert all(address.startswith(f"{ROOT}/{BOOTH}/") for address in spoken["booth"])


def test_its_limits_are_those_of_the_code():
    binding = DOCUMENT["servers"]["broker"]["bindings"]["mqtt"]
    assert binding["maximumPacketSize"] >= MAX_MESSAGE_BYTES
    assert binding["cleanSession"] is True
    assert binding["sessionExpiryInterval"] == 0
    hit, change = SCHEMAS["hit"], SCHEMAS["change"]
    assert hit["x-max-bytes"] == HIT_LIMIT
    assert hit["properties"]["candidates"]["maxItems"] == CANDIDATES_LIMIT
    assert hit["properties"]["evidence"]["maxItems"] == ITEMS_LIMIT
    assert change["x-max-bytes"] == CHANGE_LIMIT
    assert change["properties"]["references"]["maxItems"] == REFERENCES_LIMIT


# What older senders leave out, and every sender now sends.
ADDED_LATER = {"samples"}
# What stands in a map only where it is true.
FLAGS = {"is_drill"}


def assert_documented(value, schema):
    """Every field of a value stands in its schema, with its type, and no other."""
    kinds = {
        dict: "object",
        list: "array",
        str: "string",
        bytes: "string",
        int: "integer",
        float: "number",
        bool: "boolean",
        type(None): "null",
    }
    allowed = schema.get("anyOf", [schema])
    match = [s for s in allowed if s.get("type") == kinds[type(value)]]
    assert match or schema.get("const") == value
    if isinstance(value, bytes):
        assert match[0]["format"] == "binary"
    elif isinstance(value, dict):
        assert set(match[0]["properties"]) - FLAGS == set(value) - FLAGS
        assert set(match[0]["required"]) == set(value) - ADDED_LATER - FLAGS
        for name, item in value.items():
            assert_documented(item, match[0]["properties"][name])
    elif isinstance(value, list):
        for item in value:
            assert_documented(item, match[0]["items"])


@pytest.mark.parametrize("is_drill", [False, True])
def test_a_hit_has_the_documented_fields(is_drill):
    hit = replace(invented_hit("booth-1", START, evidence_bytes=10), is_drill=is_drill)
    assert_documented(cbor2.loads(encode_hit(hit)), SCHEMAS["hit"])


def test_a_decision_has_the_documented_fields_codes_and_limits():
    said = OfficerVerdict(
        "officer-1", Verdict.CONFIRM, VerdictReason.FACES_AGREE, "", START
    )
    decision = HitDecision("hit-1", "booth-1", 1, True, DecisionState.CONFIRMED, said)
    schema = SCHEMAS["decision"]
    assert_documented(cbor2.loads(encode_decision(decision)), schema)
    fields = schema["properties"]
    assert schema["x-max-bytes"] == DECISION_LIMIT
    assert fields["note"]["maxLength"] == NOTE_LIMIT
    assert fields["number"]["maximum"] == VERDICTS_LIMIT
    assert fields["verdict"]["enum"] == list(Verdict)
    assert fields["reason"]["enum"] == list(VerdictReason)
    assert ["undecided", *fields["state"]["enum"]] == list(DecisionState)


@pytest.mark.parametrize("operation", [ChangeOperation.ADD, ChangeOperation.WITHDRAW])
def test_a_change_has_the_documented_fields(operation):
    entry = WatchlistEntry(
        entry_id="entry-1",
        version=1,
        category="wanted",
        originator="test",
        handling_code="A",
        legal_basis="none",
        instruction="call",
        valid_from=START,
        expires_at=None,
        name="Nobody",
    )
    template = FaceTemplate("test", np.zeros(128, np.float32))
    face = Reference(
        "reference-1", "entry-1", Modality.FACE, FingerPosition.UNKNOWN, template
    )
    is_add = operation is ChangeOperation.ADD
    change = WatchlistChange(
        1,
        operation,
        "entry-1",
        entry if is_add else None,
        (face,) if is_add else (),
        START,
    )
    schema = SCHEMAS["change"]
    assert_documented(cbor2.loads(encode_change(change)), schema)
    operations = schema["properties"]["operation"]["enum"]
    assert operations == [str(item) for item in ChangeOperation]
