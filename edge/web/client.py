"""A program that signs in as a person does: the demo, benchmarks and tests."""

from __future__ import annotations

import httpx

from edge.errors import EdgeError
from edge.web.guard import CSRF_HEADER

TIMEOUT_S = 10.0


class ClientError(EdgeError):
    """The site did not let the program in."""


def signed_in(
    base_url: str, name: str, password: str, *, timeout_s: float = TIMEOUT_S
) -> httpx.Client:
    """Return a client with a session; the caller closes it.

    Raises:
        ClientError: the name or the password is wrong, or nobody answers.
    """
    credentials = {"name": name, "password": password}
    try:
        with httpx.Client(base_url=base_url, timeout=timeout_s) as stranger:
            answer = stranger.post("/api/session", json=credentials)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        message = f"{base_url}: cannot sign in as {name}: {error}"
        raise ClientError(message) from error
    # The cookie is for browsers alone to send; the library would keep it from a line
    # without TLS.
    cookie = answer.headers["set-cookie"].partition(";")[0]
    return httpx.Client(
        base_url=base_url,
        timeout=timeout_s,
        headers={"Cookie": cookie, CSRF_HEADER: answer.json()["csrf"]},
    )
