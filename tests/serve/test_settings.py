import pytest

from atelier.errors import AtelierError
from atelier.serve.settings import Settings

pytestmark = pytest.mark.once


def test_other_machines_need_a_password_or_force():
    with pytest.raises(AtelierError, match=r"user name and a password to serve at 0\.0\.0\.0"):
        Settings(host="0.0.0.0").check()

    Settings(host="0.0.0.0", force=True).check()
    Settings(host="0.0.0.0", user="ada", password="secret").check()
    Settings().check()


def test_half_of_a_login_is_refused():
    with pytest.raises(AtelierError, match="one without the other"):
        Settings(user="ada").check()
    with pytest.raises(AtelierError, match="one without the other"):
        Settings(password="secret").check()


def test_a_share_is_from_0_to_1():
    with pytest.raises(AtelierError, match=r"1\.2"):
        Settings(challenger_share=1.2).check()


def test_auth_is_none_without_a_user():
    assert Settings().auth is None
    assert Settings(user="ada", password="secret").auth == ("ada", "secret")
