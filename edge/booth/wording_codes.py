"""Codes of the appliance in words for the officer, under the keys a screen asks for.

A message is marked here and translated when a page is made; see texts.py.
"""

from __future__ import annotations

from edge.booth.marking import mark

FINGERS = {
    "finger.0": mark("Finger"),
    "finger.1": mark("Right thumb"),
    "finger.2": mark("Right index finger"),
    "finger.3": mark("Right middle finger"),
    "finger.4": mark("Right ring finger"),
    "finger.5": mark("Right little finger"),
    "finger.6": mark("Left thumb"),
    "finger.7": mark("Left index finger"),
    "finger.8": mark("Left middle finger"),
    "finger.9": mark("Left ring finger"),
    "finger.10": mark("Left little finger"),
}

# Said to the traveller, on both screens.
FINGER_INSTRUCTIONS = {
    "finger_instruction.ok": mark("Good. You may lift the finger"),
    "finger_instruction.place_finger": mark("Put the finger on the scanner"),
    "finger_instruction.hold_still": mark("Hold the finger still"),
    "finger_instruction.lift_finger": mark("Lift the finger"),
    "finger_instruction.press_harder": mark("Press a little harder"),
    "finger_instruction.press_lighter": mark("Press a little lighter"),
    "finger_instruction.cover_more": mark("Lay the finger flat, cover more"),
    "finger_instruction.moisten_finger": mark("Breathe on the fingertip"),
    "finger_instruction.dry_finger": mark("Dry the finger"),
    "finger_instruction.clean_scanner": mark(
        "The scanner is being cleaned, one moment"
    ),
    "finger_instruction.move_left": mark("Move the finger to the left"),
    "finger_instruction.move_right": mark("Move the finger to the right"),
    "finger_instruction.move_up": mark("Move the finger up"),
    "finger_instruction.move_down": mark("Move the finger down"),
}

FACE_INSTRUCTIONS = {
    "face_instruction.ok": mark("Good. Stay as you are"),
    "face_instruction.look_at_camera": mark("Look at the camera"),
    "face_instruction.one_person_only": mark("Only one person, please"),
    "face_instruction.closer": mark("Come closer"),
    "face_instruction.further": mark("Step back a little"),
    "face_instruction.left": mark("Move to the left"),
    "face_instruction.right": mark("Move to the right"),
    "face_instruction.up": mark("A little higher"),
    "face_instruction.down": mark("A little lower"),
    "face_instruction.look_straight": mark("Look straight ahead"),
    "face_instruction.chin_up": mark("Chin up"),
    "face_instruction.chin_down": mark("Chin down"),
    "face_instruction.level_head": mark("Hold your head upright"),
    "face_instruction.light_from_one_side": mark("Turn away from the bright side"),
    "face_instruction.too_dark": mark("Too dark: come into the light"),
    "face_instruction.too_bright": mark("Too bright: step out of the light"),
    "face_instruction.hold_still": mark("Hold still"),
    "face_instruction.glasses_reflect": mark("Your glasses reflect: take them off"),
    "face_instruction.uncover_face": mark("Uncover your face"),
}

# Why a capture was refused: what is wrong and what helps.
REASONS = {
    "reason.of": mark("{what}: {why}"),
    "reason.no_finger": mark("no finger on the scanner"),
    "reason.not_a_finger": mark("this does not look like a finger"),
    "reason.too_small": mark("too little of the finger; lay it flat"),
    "reason.too_dry": mark("too dry; breathe on the fingertip"),
    "reason.too_wet": mark("too wet; dry the finger"),
    "reason.low_contrast": mark("too faint; press a little harder"),
    "reason.smeared": mark("smeared; press lighter and hold still"),
    "reason.off_centre": mark("off the middle; place it in the centre"),
    "reason.too_few_minutiae": mark("too few points to search with; cover more"),
    "reason.wrong_resolution": mark("the scanner’s resolution is wrong"),
    "reason.too_light": mark("touched too lightly; press a little harder"),
    "reason.move_left": mark("move the finger to the left"),
    "reason.move_right": mark("move the finger to the right"),
    "reason.move_up": mark("move the finger up"),
    "reason.move_down": mark("move the finger down"),
    "reason.moved": mark("it moved; hold still"),
    "reason.residue": mark("traces on the scanner; clean the glass"),
    "reason.below_threshold": mark("quality below what the policy asks for"),
    "reason.no_face": mark("no face in view"),
    "reason.several_faces": mark("several faces in view; tap the traveller’s"),
    "reason.face_too_small": mark("too far away; come closer"),
    "reason.face_cut_off": mark("the face is cut off; move to the middle"),
    "reason.face_turned": mark("the head is turned; look straight ahead"),
    "reason.too_dark": mark("too dark; more light on the face"),
    "reason.too_bright": mark("too bright; less light on the face"),
    "reason.uneven_light": mark("light from one side only"),
    "reason.blurred": mark("blurred; hold still"),
    "reason.face_too_large": mark("too near; step back"),
    "reason.face_covered": mark("the face is covered"),
    "reason.glasses_reflect": mark("the glasses reflect; take them off"),
    "reason.nothing_presented": mark("nothing was presented in time"),
    "reason.device_failed": mark("the device does not answer; nothing was taken"),
    "reason.search_failed": mark("it could not be searched with"),
    "reason.not_searched_among_all": mark("it was not searched among all on the list"),
    "reason.time_over": mark("the time of the check was over"),
    "reason.unavailable": mark("said before the check not to be there"),
    "reason.skipped": mark("left out by the officer"),
    "reason.overridden": mark("taken as it was by the officer, though too poor"),
    "reason.cancelled": mark("the check was ended by the officer"),
    "reason.presentation_attack_suspected": mark(
        "this may be a picture of a face; look at the traveller"
    ),
    "reason.presentation_not_judged": mark(
        "whether it is a real face could not be judged; look at the traveller"
    ),
    "reason.no_watchlist": mark("This booth holds no watchlist; nobody was searched."),
    "reason.watchlist_outdated": mark(
        "The watchlist is too old to clear anybody; the link to the hub is needed."
    ),
    "reason.watchlist_stale": mark(
        "The watchlist has not been confirmed for a while; it was searched as it is."
    ),
    "reason.watchlist_unproven": mark(
        "Nothing proves how old the watchlist is; it was searched as it is."
    ),
    "reason.clock_untrusted": mark(
        "The booth’s clock cannot be trusted; the age of the watchlist is unknown."
    ),
    "reason.search_behind": mark(
        "The newest changes of the watchlist were not searched yet."
    ),
}

MODALITIES = {
    "modality.fingerprint": mark("Fingerprint"),
    "modality.face": mark("Face"),
    "modality.check": mark("Check"),
}

EXEMPTIONS = {
    "exemption.missing": mark("Missing"),
    "exemption.bandaged": mark("Bandaged or injured"),
    "exemption.worn_ridges": mark("Worn ridges"),
    "exemption.refused": mark("The traveller refuses"),
    "exemption.child": mark("Child"),
    "exemption.medical": mark("Medical reason"),
    "exemption.device_trouble": mark("Trouble with the device"),
    "exemption.other": mark("Other"),
    "exemption_kind.unavailable": mark("not there:"),
    "exemption_kind.skipped": mark("left out:"),
    "exemption_kind.overridden": mark("taken as it was:"),
    "exemption_kind.cancelled": mark("ended by the officer."),
}

VERDICTS = {
    "verdict.confirm": mark("Confirm: the same person"),
    "verdict.confirm.lead": mark("You say that the traveller is the person listed."),
    "verdict.refute": mark("Refute: another person"),
    "verdict.refute.lead": mark("You say that the traveller is not the person listed."),
    "verdict.cannot_tell": mark("Cannot tell"),
    "verdict.cannot_tell.lead": mark("The evidence is not enough for you to say."),
    "verdict.done": mark("Record the decision"),
    "verdict_reason.fingerprints_agree": mark("The fingerprints agree"),
    "verdict_reason.faces_agree": mark("The faces agree"),
    "verdict_reason.document_agrees": mark("The document agrees"),
    "verdict_reason.fingerprints_differ": mark("The fingerprints differ"),
    "verdict_reason.faces_differ": mark("The faces differ"),
    "verdict_reason.document_differs": mark("The document differs"),
    "verdict_reason.poor_capture": mark("The capture is too poor"),
    "verdict_reason.poor_reference": mark("The picture on the list is too poor"),
    "verdict_reason.no_reference_image": mark("There is no picture on the list"),
    "verdict_reason.evidence_contradicts": mark("The evidence contradicts itself"),
    "verdict_reason.other": mark("Other"),
}

CODES = {
    **FINGERS,
    **FINGER_INSTRUCTIONS,
    **FACE_INSTRUCTIONS,
    **REASONS,
    **MODALITIES,
    **EXEMPTIONS,
    **VERDICTS,
}
