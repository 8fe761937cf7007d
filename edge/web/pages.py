"""Pages from templates: escaped, in the reader's language, with the session's token."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from edge.web.languages import LANGUAGES, catalogue, chosen_language, direction

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from fastapi import Request

LANGUAGE_COOKIE = "edge_language"


class Pages:
    """The templates of some packages, the first that has one of a name wins.

    Every template sees: _ and ngettext; language, direction, languages; session and
    csrf (None and "" where nobody is signed in); site, the name of the site; path.
    """

    def __init__(self, packages: Sequence[str], *, site: str) -> None:
        self._site = site
        self._environments: Callable[[str], Environment] = cache(
            lambda language: _environment(packages, language)
        )

    def language(self, request: Request) -> str:
        """Return the reader's language: of the button, the account, the browser."""
        session = getattr(request.state, "session", None)
        wanted = request.cookies.get(LANGUAGE_COOKIE)
        if wanted is None and session is not None:
            wanted = session.account.language
        return chosen_language(wanted, request.headers)

    def texts(self, request: Request) -> Callable[[str], str]:
        """Return the function that translates a message for this reader."""
        return catalogue(self.language(request)).gettext

    def render(
        self,
        request: Request,
        template: str,
        *,
        status: int = 200,
        **context: Any,  # noqa: ANN401  whatever a template shows
    ) -> HTMLResponse:
        language = self.language(request)
        session = getattr(request.state, "session", None)
        text = (
            self._environments(language)
            .get_template(template)
            .render(
                language=language,
                direction=direction(language),
                languages=LANGUAGES,
                session=session,
                csrf="" if session is None else session.csrf,
                site=self._site,
                path=request.url.path,
                **context,
            )
        )
        return HTMLResponse(text, status)


def _environment(packages: Sequence[str], language: str) -> Environment:
    environment = Environment(
        loader=ChoiceLoader([PackageLoader(package) for package in packages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    # Jinja's extension adds these methods to the environment at run time.
    install: Callable[..., None] = getattr(  # noqa: B009
        environment, "install_gettext_translations"
    )
    install(catalogue(language), newstyle=True)
    return environment
