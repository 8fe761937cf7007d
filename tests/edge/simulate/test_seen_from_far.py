import numpy as np

from edge.simulate.cast import seen_from_far


def test_a_person_further_away_fills_less_of_the_same_frame():
    frame = np.zeros((480, 640, 3), np.uint8)
    far = seen_from_far(frame, 0.25)
    assert far.shape == frame.shape
    rows, columns = np.nonzero(far[..., 0] == 0)
    assert (rows.min(), rows.max()) == (180, 299)
    assert (columns.min(), columns.max()) == (240, 399)
