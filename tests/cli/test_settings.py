"""The settings: all described, wrong ones named, secrets never shown, options before the environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.domain.errors import UsageError
from engine.settings import PREFIX, SHIPPED_POLICIES, Settings, read_settings, table
from tests.cli.conftest import Run


def test_every_setting_is_described_in_a_sentence(folder: Path) -> None:
    """README's table is made of these."""
    rows = list(table())
    assert [name for name, _, _ in rows] == [PREFIX + name.upper() for name in Settings.model_fields]
    for name, _, description in rows:
        assert len(description) > 20, name
        assert description.endswith("."), name


def test_defaults_need_nothing_around_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite below the folder one works in, the shipped policies, loopback."""
    settings = read_settings()
    assert settings.store_url == "sqlite:///.covenant/covenant.db"
    assert settings.policy_folder == SHIPPED_POLICIES
    assert settings.host == "127.0.0.1"


def test_a_wrong_setting_is_named_and_its_value_is_not_shown(
    folder: Path, monkeypatch: pytest.MonkeyPatch, covenant: Run
) -> None:
    """The message says which variable, what is wrong, and what it is for."""
    monkeypatch.setenv("COVENANT_PORT", "many")
    with pytest.raises(UsageError, match="COVENANT_PORT") as raised:
        read_settings()
    assert "many" not in str(raised.value)
    assert "listen" in str(raised.value)
    assert covenant("export", "--standing").exit_code == 2


def test_an_option_goes_before_the_environment(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And an empty variable counts as none."""
    monkeypatch.setenv("COVENANT_STORE", "sqlite:///a.db")
    assert read_settings(store=None).store_url == "sqlite:///a.db"
    assert read_settings(store="sqlite:///b.db").store_url == "sqlite:///b.db"
    monkeypatch.setenv("COVENANT_STORE", "")
    assert read_settings().store_url == "sqlite:///.covenant/covenant.db"


def test_secrets_are_never_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the key nor the password in the store's URL."""
    monkeypatch.setenv("COVENANT_ORGANISATION_KEY", "a-key-of-some-length")
    monkeypatch.setenv("COVENANT_STORE", "postgresql+psycopg://someone:hunter2@db/covenant")
    settings = read_settings()
    assert settings.key() == b"a-key-of-some-length"
    assert settings.store_shown == "postgresql+psycopg://someone@db/covenant"
    for shown in (repr(settings), str(settings), settings.store_shown):
        assert "hunter2" not in shown
        assert "a-key-of-some-length" not in shown


@pytest.mark.parametrize("key", ["", "short"])
def test_a_missing_or_short_key_says_how_to_set_one(folder: Path, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Pseudonyms made with a key that can be guessed would be none."""
    monkeypatch.setenv("COVENANT_ORGANISATION_KEY", key)
    with pytest.raises(UsageError, match="COVENANT_ORGANISATION_KEY"):
        read_settings().key()


def test_a_key_may_stand_in_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As container secrets do; a file that isn't there is named."""
    (folder / "key").write_text("a-key-of-some-length\n")
    monkeypatch.setenv("COVENANT_ORGANISATION_KEY", "file:key")
    assert read_settings().key() == b"a-key-of-some-length"
    monkeypatch.setenv("COVENANT_ORGANISATION_KEY", "file:none")
    with pytest.raises(UsageError, match="none"):
        read_settings().key()
