"""The hub operators' console: cases, watchlist drafts, posts, audit; API and pages.

A process of its own beside edge-hub, on the same store: a browser, or a defect of a web
page, must neither slow nor stop the taking of hits.
"""
