"""Which face is followed, told by boxes alone."""

from __future__ import annotations

import numpy as np

from edge.recognition.face.detection import Face
from edge.recognition.face.guidance_choice import FORGET_AFTER, FaceChoice
from edge.recognition.face.guidance_search import Sight, overlap

HEIGHT, WIDTH = 480, 640


def face(x, size=150):
    box = np.array([x - size / 2, 240 - size / 2, x + size / 2, 240 + size / 2])
    points = np.array([[-0.2, -0.1], [0.2, -0.1], [0, 0.1], [-0.2, 0.3], [0.2, 0.3]])
    places = points * size + [x, 240]
    return Face(box.astype(np.float32), places.astype(np.float32), 0.99)


def see(choice, *faces, whole=True):
    return choice.update(Sight(faces, is_whole=whole), HEIGHT, WIDTH)


def test_the_largest_centred_face_is_chosen():
    choice = FaceChoice()
    assert see(choice, face(80, 160), face(320)).box[0] == 245
    assert choice.number == 1


def test_two_alike_faces_do_not_take_turns():
    choice = FaceChoice()
    see(choice, face(230))
    for size in (150, 165, 150, 170, 160):
        assert see(choice, face(410, size), face(230)).box[0] == 155
    assert choice.number == 1


def test_a_clearly_more_prominent_newcomer_is_followed_after_some_frames():
    choice = FaceChoice()
    see(choice, face(120, 90))
    newcomer = face(320, 200)
    assert see(choice, newcomer, face(120, 90)) is not newcomer
    assert see(choice, newcomer, face(120, 90)) is newcomer
    assert choice.number == 2


def test_a_newcomer_who_passes_is_not_followed():
    choice = FaceChoice()
    see(choice, face(120, 90))
    for _ in range(5):
        see(choice, face(320, 200), face(120, 90))
        assert see(choice, face(120, 90)).box[0] == 75
    assert choice.number == 1


def test_a_hidden_face_is_waited_for_and_then_forgotten():
    choice = FaceChoice()
    see(choice, face(120))
    other = face(480)
    for _ in range(FORGET_AFTER):
        assert see(choice, other) is None
    assert see(choice, other) is other
    assert choice.number == 2


def test_a_picked_face_is_kept_against_a_larger_one():
    choice = FaceChoice()
    see(choice, face(320, 200), face(120, 90))
    choice.pick(120, 240)
    for _ in range(4):
        assert see(choice, face(320, 200), face(120, 90)).box[0] == 75
    assert choice.is_picked
    assert choice.number == 2


def test_nothing_overlaps_a_box_without_area():
    flat = Face(np.zeros(4, np.float32), np.zeros((5, 2), np.float32), 0.5)
    assert overlap(flat, flat) == 0
    assert overlap(face(100), face(100)) == 1
