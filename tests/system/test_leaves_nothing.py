"""A whole checkpoint, then a hunt through all its files for a traveller's biometrics.

The same hunt finds the evidence of a hit, so that finding nothing means something.
"""

import time
from contextlib import closing

import cv2
import numpy as np
import pytest

from edge.config import default_cache_dir, load_config
from edge.records.template import encode_template
from edge.services.enrolment import publish_person
from edge.services.system import LocalSystem
from edge.services.wiring import enrolment_engines, fingerprint_engine
from edge.simulate.cast import SCANNER_WINDOW, invented_cast
from edge.simulate.scenario import demo_scenario
from edge.store.database import open_database
from edge.store.hub_log import StoredHubLog
from edge.terms import FingerPosition, FingerprintSample
from firmware_bridge.image_transfer import pack_image
from firmware_bridge.sensor_window import fit_to_window

WAIT_S = 60.0
SCENE_CHANGE_S = 0.7
SLICE_BYTES = 32
SLICE_STEP_BYTES = 16


def eventually(condition):
    deadline = time.monotonic() + WAIT_S
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"did not come true within {WAIT_S} s")
        time.sleep(0.02)


def on_the_line(image):
    """Return the print as it lies on the line: two pixels of 4 bits a byte."""
    data = pack_image(fit_to_window(image, SCANNER_WINDOW))
    height, width = SCANNER_WINDOW
    return np.frombuffer(data, np.uint8).reshape(height, width // 2)


def as_scanned(packed):
    """Return the print as the booth sees it: 4 bits a pixel, spread to 8."""
    levels = np.stack([packed >> 4, packed & 0x0F], axis=-1)
    return levels.reshape(SCANNER_WINDOW) * np.uint8(17)


def slices(data):
    """Return short pieces of the data that a file cannot hold by chance."""
    pieces = {
        data[start : start + SLICE_BYTES]
        for start in range(0, len(data) - SLICE_BYTES, SLICE_STEP_BYTES)
    }
    return {piece for piece in pieces if len(set(piece)) >= 8}


def middle_rows(pixels):
    """Return slices of textured rows from the middle of an image."""
    height = len(pixels)
    found = set()
    for row in pixels[height // 4 : 3 * height // 4 : 8]:
        found |= slices(row.tobytes())
    return found


def encodings(pixels):
    """Return slices of the usual encodings, beyond headers that all files share."""
    found = set()
    for suffix in (".png", ".jpg"):
        is_done, data = cv2.imencode(suffix, pixels)
        assert is_done
        found |= slices(data.tobytes()[1024:])
    return found


def template_record(image):
    sample = FingerprintSample(image, 500.0, FingerPosition.RIGHT_INDEX, invented_at())
    return encode_template(fingerprint_engine(load_config()).extract(sample))


def invented_at():
    return demo_scenario(invented_cast()).enrolled[0].entry.valid_from


def traces(finger):
    """Return kind -> slices, each of which would give the finger away."""
    packed = on_the_line(finger)
    pixels = as_scanned(packed)
    return {
        "pixels": middle_rows(pixels),
        "packed pixels": middle_rows(packed),
        "encoded image": encodings(pixels),
        "template": slices(template_record(pixels)[64:]),
    }


def hunt(folder, wanted):
    """Return kind -> names of the files that hold a slice of that kind."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        data = path.read_bytes()
        for kind, pieces in wanted.items():
            assert pieces, kind
            if any(piece in data for piece in pieces):
                found.setdefault(kind, set()).add(path.name.split("-")[0])
    return found


def check(system, member):
    """Send one traveller through the booth; return the result of the check."""
    system.camera.show(member.face_presented)
    time.sleep(SCENE_CHANGE_S)
    system.scanner.enqueue(member.finger_presented)
    with system.booth_client() as http:
        ticket = http.post("/api/checks", json={}).json()["ticket"]

        def state():
            return http.get(f"/api/checks/{ticket}").json()

        # Somebody watches: what is shown live must not stay either.
        seen = {"finger": 0, "face": 0}
        while state()["state"] == "running":
            for which, number in seen.items():
                picture = http.get(f"/api/live/{which}", params={"after": number})
                seen[which] = int(picture.headers.get("X-Frame", number))
        assert seen["finger"], "no live picture of the finger was seen"
        result = state()["result"]
    system.scanner.clear()
    system.camera.show([])
    return result


def check_by_finger_alone(system, member):
    """Let a traveller begin the check; return how many checks there are of each end."""
    with system.booth_client() as http:
        before = http.get("/api/health").json()["checks"]
        http.put("/api/automatic-start", json={"is_on": True})
        system.camera.show(member.face_presented)
        time.sleep(SCENE_CHANGE_S)
        assert http.get("/api/health").json()["checks"] == before
        system.scanner.enqueue(member.finger_presented)
        eventually(lambda: http.get("/api/health").json()["checks"] != before)
        after = http.get("/api/health").json()["checks"]
        http.put("/api/automatic-start", json={"is_on": False})
    system.scanner.clear()
    system.camera.show([])
    return after


def enrol_the_wanted(system, person):
    database = open_database(system.hub_store, "hub")
    with closing(database.conn):
        publish_person(
            StoredHubLog(database),
            enrolment_engines(load_config()),
            person.entry,
            finger_images=person.finger_images,
            face_images=(),
        )
    with system.booth_client() as http:
        eventually(lambda: searches_one_person(http.get("/api/health").json()))


def searches_one_person(health):
    is_current = health["search"]["sequence"] == health["watchlist_cursor"]
    return health["watchlist_entries"] == 1 and is_current


@pytest.mark.slow
def test_nothing_of_a_clear_traveller_stays_in_any_file(tmp_path_short):
    cast = invented_cast()
    wanted, clear = cast[0], cast[2]
    cache = default_cache_dir() / "models"
    with LocalSystem(tmp_path_short, model_cache=cache) as system:
        enrol_the_wanted(system, demo_scenario(cast).enrolled[0])
        assert check(system, clear)["outcome"] == "clear"
        assert check_by_finger_alone(system, clear) == {"clear": 2}
        running = hunt(tmp_path_short, traces(clear.finger_presented[0]))
        hit = check(system, wanted)
        assert hit["outcome"] == "refer"
    assert running == {}
    for image in clear.finger_presented:
        assert hunt(tmp_path_short, traces(image)) == {}
    found = hunt(tmp_path_short, traces(wanted.finger_presented[0]))
    assert "booth.db" in found["encoded image"]
    assert "booth.db" in found["template"]


def test_the_hunt_finds_pixels_that_were_left_behind(tmp_path):
    finger = invented_cast()[2].finger_presented[0]
    packed = on_the_line(finger)
    (tmp_path / "line.log").write_bytes(b"x" * 777 + packed[100:150].tobytes())
    (tmp_path / "memory.bin").write_bytes(b"y" * 33 + as_scanned(packed).tobytes())
    assert hunt(tmp_path, traces(finger)) == {
        "packed pixels": {"line.log"},
        "pixels": {"memory.bin"},
    }
