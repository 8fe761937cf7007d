"""What the supervisor's page and the traveller's view say."""

from __future__ import annotations

from edge.booth.marking import mark

SUPERVISOR = {
    "chart.by_scanner": mark("By scanner"),
    "chart.by_finger": mark("By finger"),
    "chart.by_officer": mark("By officer"),
    "chart.by_hour": mark("By hour"),
    "chart.reasons": mark("Reasons of refusal"),
    "chart.times": mark("Times"),
    "chart.quality": mark("Quality, median"),
    "chart.checks": mark("Checks"),
    "chart.seconds": mark("Seconds, median"),
    "chart.nothing": mark("Nothing in this time."),
    "chart.refused_share": mark("{share} refused"),
    "stage.check": mark("whole check"),
    "stage.capture": mark("capture"),
    "stage.assess": mark("quality"),
    "stage.extract": mark("reading"),
    "stage.guide": mark("guidance"),
    "stage.presentation": mark("judging the presentation"),
    "stage.process": mark("reading"),
    "stage.search": mark("search"),
    "stage.decide": mark("decision"),
    "stage.record": mark("recording"),
    "drill.armed": mark("Armed: the next check is the drill."),
    "drill.none": mark("No drill yet."),
    "drill.found": mark("found"),
    "drill.missed": mark("missed"),
    "drill.waiting": mark("waiting"),
}

TRAVELLER = {
    "web.close": mark("Close"),
    "traveller.welcome": mark("Welcome"),
    "traveller.wait": mark("Please wait for the officer"),
    "traveller.this_finger": mark("This finger"),
    "traveller.working": mark("One moment, please"),
    "traveller.thanks": mark("Thank you. The officer will tell you how to go on"),
    "traveller.again": mark("Once more, please"),
}
