import pytest

from edge.booth.traveller import traveller_view

PROGRESS = {
    "event": "check_progress",
    "modality": "fingerprint",
    "position": 2,
    "quality": 71,
    "reasons": ["too_dry"],
    "guidance": None,
    "finger": {"instruction": "press_harder", "quality": 71},
}
TOLD = {"event", "stage", "modality", "position", "instruction"}


def _progress(stage, **changes):
    return traveller_view({**PROGRESS, "stage": stage, **changes})


def test_travellers_are_told_what_to_do_with_the_finger():
    assert _progress("capture")["instruction"] == "press_harder"
    assert _progress("capture", finger=None)["instruction"] == "place_finger"


def test_travellers_are_told_what_to_do_before_the_camera():
    said = {"modality": "face", "position": None}
    guidance = {"instruction": "closer", "face": {"x_px": 1.0}, "measures": {}}
    view = _progress("assess", **said, guidance=guidance)
    assert view["instruction"] == "closer"
    assert _progress("capture", **said)["instruction"] == "look_at_camera"


@pytest.mark.parametrize("stage", ["search", "extract", "decide"])
def test_while_the_booth_works_travellers_are_asked_for_nothing(stage):
    view = _progress(stage)
    assert (view["stage"], view["instruction"]) == ("working", None)


def test_no_word_of_quality_or_reasons_reaches_travellers():
    for stage in ("capture", "assess", "search"):
        assert set(_progress(stage)) == TOLD


@pytest.mark.parametrize("kind", ["check_finished", "check_failed"])
def test_the_end_looks_the_same_whatever_was_found(kind):
    views = [
        traveller_view({"event": kind, "result": {"outcome": outcome}})
        for outcome in ("clear", "refer", "retry", "degraded")
    ]
    assert views == [views[0]] * 4
    assert set(views[0]) == TOLD
    assert "refer" not in str(views)


@pytest.mark.parametrize("kind", ["instruction", "hit_changed", "watchlist_searched"])
def test_what_concerns_officers_is_not_told_to_travellers(kind):
    assert traveller_view({"event": kind, "text": "Hold the person."}) is None
