"""Benchmarks: what `edge bench` measures, on folders of prints and on generated ones.

Rates are fractions of 1. A comparison is a match if its score >= the threshold.
"""
