"""Face references made anew when the networks change."""

import json
from contextlib import closing
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from edge.cli.main import edge
from edge.recognition.face.embedding import DLIB_TEMPLATES
from edge.recognition.image_encoding import encode_png
from edge.records.changes import decode_change
from edge.services.rederivation import rederive_faces
from edge.simulate.faces import demo_faces
from edge.store.database import open_database
from edge.store.hub_images import StoredReferenceImages
from edge.store.hub_log import StoredHubLog
from edge.terms import (
    ChangeOperation,
    DraftChange,
    FaceTemplate,
    FingerPosition,
    Modality,
    Reference,
    WatchlistEntry,
)

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FIGURE = np.full((40, 40, 3), 9, np.uint8)
NOBODY = np.zeros((40, 40, 3), np.uint8)


class Networks:
    """Sees a face in every image that is not black; its vector is the brightness."""

    def __init__(self, model_id):
        self.model_id = model_id
        self.embedded = 0

    def embed_central_face(self, image):
        if not image.any():
            return None
        self.embedded += 1
        return FaceTemplate(self.model_id, np.array([image.mean()], np.float32))


def reference(name, model_id="old"):
    unknown = FingerPosition.UNKNOWN
    template = FaceTemplate(model_id, np.zeros(1, np.float32))
    return Reference(name, name[0], Modality.FACE, unknown, template)


def person(entry_id, *names, model_id="old"):
    entry = WatchlistEntry(entry_id, 3, "c", "o", "h", "l", "i", NOW, None, "Nobody")
    references = tuple(reference(name, model_id) for name in names)
    return DraftChange(ChangeOperation.ADD, entry_id, entry, references)


@pytest.fixture
def hub(tmp_path):
    database = open_database(tmp_path / "hub.db", "hub")
    with closing(database.conn):
        StoredHubLog(database).begin_log("ab" * 16, at=NOW)
        yield database


@pytest.fixture
def images(hub):
    return StoredReferenceImages(hub, actor="test")


def models(hub):
    log = StoredHubLog(hub)
    return {
        item.reference_id: item.template.model_id
        for _, record in log.current_records()
        for item in decode_change(record).references
    }


def test_references_of_other_networks_are_made_anew_and_keep_their_image(hub, images):
    png = encode_png(FIGURE)
    drafts = [person("a", "a1", "a2"), person("b", "b1", model_id="new")]
    images.append(drafts, {"a1": png, "a2": png, "b1": png}, at=NOW)
    networks = Networks("new")
    done = rederive_faces(images, networks)
    assert sorted(done.made) == ["a1", "a2"]
    assert models(hub) == {"a1": "new", "a2": "new", "b1": "new"}
    assert images.image("a1") == png
    [change] = StoredHubLog(hub).records_after(2, 10)
    assert change.change.operation is ChangeOperation.REPLACE
    assert change.change.entry.version == 3
    assert change.change.references[0].template.vector.tolist() == [9.0]


def test_a_second_run_finds_nothing_to_do(hub, images):
    images.append([person("a", "a1")], {"a1": encode_png(FIGURE)}, at=NOW)
    networks = Networks("new")
    rederive_faces(images, networks)
    assert rederive_faces(images, networks).made == []
    assert networks.embedded == 1
    assert StoredHubLog(hub).position().sequence == 2


def test_an_interrupted_run_is_gone_on_with(hub, images):
    names = [f"{chr(97 + number)}1" for number in range(26)]
    png = encode_png(FIGURE)
    drafts = [person(name[0], name) for name in names]
    images.append(drafts, dict.fromkeys(names, png), at=NOW)

    class Stopped(Exception):  # noqa: N818  a person stops it
        pass

    def stop(done):
        if done == 23:
            raise Stopped

    first = Networks("new")
    with pytest.raises(Stopped):
        rederive_faces(images, first, stop)
    second = Networks("new")
    rederive_faces(images, second)
    assert set(models(hub).values()) == {"new"}
    assert second.embedded == 6


def test_what_cannot_be_made_anew_is_told_and_left(hub, images):
    drafts = [person("a", "a1"), person("b", "b1"), person("c", "c1")]
    given = {"b1": encode_png(NOBODY), "c1": b"damaged"}
    images.append(drafts, given, at=NOW)
    done = rederive_faces(images, Networks("new"))
    assert done.without_image == ["a1"]
    assert sorted(done.without_face) == ["b1", "c1"]
    assert set(models(hub).values()) == {"old"}


def test_an_image_goes_with_its_reference(hub, images):
    png, log = encode_png(FIGURE), StoredHubLog(hub)
    drafts = [person("a", "a1", "a2"), person("b", "b1")]
    images.append(drafts, dict.fromkeys(["a1", "a2", "b1"], png), at=NOW)
    without_second = person("a", "a1")
    log.append(
        [
            DraftChange(
                ChangeOperation.REPLACE,
                "a",
                without_second.entry,
                without_second.references,
            ),
            DraftChange(ChangeOperation.WITHDRAW, "b"),
        ],
        at=NOW,
    )
    held = {name: images.image(name) for name in ("a1", "a2", "b1")}
    assert held == {"a1": png, "a2": None, "b1": None}


def test_a_person_enrolled_at_the_hub_can_be_made_anew(tmp_path):
    portrait = tmp_path / "face.png"
    frame = demo_faces(1)[0].frame(0)
    cv2.imwrite(str(portrait), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    store = tmp_path / "hub.db"
    config = tmp_path / "hub.toml"
    config.write_text(f"[hub]\nstore = {json.dumps(str(store))}\n")
    database = open_database(store, "hub")
    with closing(database.conn):
        StoredHubLog(database).begin_log("ab" * 16, at=NOW)
        options = ["--config", str(config)]
        enrolled = CliRunner().invoke(
            edge, ["enrol", "--id", "x", "--face", str(portrait), *options]
        )
        assert enrolled.exit_code == 0, enrolled.output
        [name] = models(database)
        assert models(database) == {name: DLIB_TEMPLATES}
        images = StoredReferenceImages(database, actor="test")
        assert rederive_faces(images, Networks("new")).made == [name]
        result = CliRunner().invoke(edge, ["hub", "rederive", "--json", *options])
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["made"] == [name]
        assert models(database) == {name: DLIB_TEMPLATES}
