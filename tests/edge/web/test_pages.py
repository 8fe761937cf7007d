from edge.web.languages import LANGUAGES, chosen_language

PASSWORD = "correct horse battery"  # noqa: S105  as in conftest.py


def test_a_page_is_in_the_language_that_was_chosen(browser):
    browser.ask("POST", "/language", data={"language": "ar"})
    page = browser.ask("GET", "/sign-in")
    assert '<html lang="ar" dir="rtl"' in page.text


def test_the_language_is_remembered_with_the_account(browser, open_accounts):
    browser.sign_in()
    form = {"csrf": browser.csrf, "language": "es"}
    browser.ask("POST", "/language", data=form)
    with open_accounts() as accounts:
        assert accounts.find("ada").account.language == "es"


def test_a_language_that_there_is_not_is_refused(browser):
    assert browser.ask("POST", "/language", data={"language": "xx"}).status_code == 422


def test_the_browser_is_asked_where_nobody_has_chosen():
    assert chosen_language(None, {"accept-language": "de,fr-CA;q=0.8"}) == "fr"
    assert chosen_language("zz", {}) == "en"
    assert chosen_language("ar", {"accept-language": "fr"}) == "ar"
    assert set(LANGUAGES) == {"en", "fr", "es", "ar"}


def test_what_was_typed_is_shown_as_text_and_never_as_markup(browser):
    name = '"><script>alert(1)</script>'
    page = browser.ask("POST", "/sign-in", data={"name": name, "password": "x"})
    assert page.status_code == 401
    assert "<script>alert" not in page.text


def test_a_locked_account_is_told_to_wait(browser):
    for _ in range(3):
        page = browser.ask("POST", "/sign-in", data={"name": "ada", "password": "x"})
    assert page.status_code == 429
    page = browser.ask("POST", "/sign-in", data={"name": "ada", "password": PASSWORD})
    assert page.status_code == 429
