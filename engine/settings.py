"""The settings: environment variables that begin with COVENANT_, each with its meaning; the only place that reads them.

Every field's description is the text that README's table shows, and a test compares the two. A secret is a `SecretStr`
and is never printed; of the store's URL only `store_shown` is, which leaves the password out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from engine.domain.errors import UsageError

PREFIX: Final = "COVENANT_"
SHIPPED_POLICIES: Final = Path(__file__).resolve().parent.parent / "policies"


def _field(default: Any, description: str, **limits: Any) -> Any:
    return Field(default=default, description=description, **limits)


class Settings(BaseSettings):
    """What the environment (or a file `.env`) says; options of the command go before it."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True, hide_input_in_errors=True, env_ignore_empty=True
    )

    home: Path = _field(Path(".covenant"), "Folder for what Covenant keeps on this machine: the default store and its caches.")
    store: str = Field(
        default="",
        repr=False,
        description="The store: `sqlite:///FILE` or `postgresql+psycopg://USER:PASSWORD@HOST/DATABASE`. "
        "Empty: SQLite in the home folder.",
    )
    policies: Path | None = _field(None, "Folder of the policies that judge. Empty: those that ship with Covenant.")
    policy_keys: Path | None = _field(
        None, "File of the public keys (PEM, Ed25519) that policies must be signed by. Empty: they needn't be signed."
    )
    activation_confirm_over: int = _field(
        20, "Findings an activation of policies may open before its approver has to confirm their number.", ge=0
    )
    opa: str = _field("", "Path of the `opa` program. Empty: from PATH, else built once with Go.")
    opa_url: str = _field("", "A running OPA to ask, such as `http://127.0.0.1:8181`. Empty: Covenant starts its own.")
    opa_seconds: float = _field(
        30.0, "Seconds one call of the policies may take; an event that takes longer by itself is recorded as an error.", ge=1
    )
    opa_memory_mib: int = _field(
        2048, "MiB of memory an OPA that Covenant starts may use; an event that takes more is recorded as an error.", ge=256
    )
    broker: str = _field("", "Kafka's bootstrap servers, `HOST:PORT,…`. Empty: only the embedded commands work.")
    lanes: int = _field(4, "Partitions of each inbound topic. Fixed once the topics are made.", ge=1, le=1024)
    batch: int = _field(2000, "Most events in one batch, and so in one transaction.", ge=1, le=100_000)
    breaker: int = _field(
        50,
        "Findings of one rule that may open within an hour; beyond that, and beyond five times its daily mean of 28 days, the "
        "rule is held. 0 holds none.",
        ge=0,
    )
    correction_horizon: int = _field(
        0,
        "Days after which a late fact changes what was decided only in a holder's favour: it excuses and takes back, and never "
        "charges. 0: late facts always count in full.",
        ge=0,
        le=36_500,
    )
    organisation: str = _field("", "Organisation of events that don't name one themselves.")
    organisation_key: SecretStr = _field(
        SecretStr(""), "Secret that makes people's pseudonyms on topics, or `file:PATH` of it; 16 characters or more."
    )
    trust_recorded_time: bool = _field(
        default=False, description="Believe a producer's word on when an event was learnt (`recordedat`)."
    )
    host: str = _field("127.0.0.1", "Address that the console and the API listen on.")
    port: int = _field(8600, "Port that the console and the API listen on; 0 takes a free one.", ge=0, le=65_535)
    beyond_loopback: bool = _field(
        default=False, description="Permit a `host` that others can reach. The console has no sign-in: put one before it."
    )
    debug: bool = _field(default=False, description="Show where in the program an unexpected error arose.")

    @property
    def store_url(self) -> str:
        """The store's URL, password and all; for opening it only."""
        return self.store or f"sqlite:///{self.home / 'covenant.db'}"

    @property
    def store_shown(self) -> str:
        """The store's URL without its password, for people."""
        scheme, mark, rest = self.store_url.partition("://")
        user, at, place = rest.rpartition("@")
        return f"{scheme}{mark}{user.partition(':')[0]}{at}{place}"

    @property
    def policy_folder(self) -> Path:
        """The folder of policies that judges."""
        return self.policies or SHIPPED_POLICIES

    def key(self) -> bytes:
        """Give the organisation's key; `UsageError` says how to set one."""
        text = self.organisation_key.get_secret_value()
        if text.startswith("file:"):
            text = _read_key(Path(text.removeprefix("file:")))
        if len(text) < 16:
            msg = f"{PREFIX}ORGANISATION_KEY is {'too short' if text else 'not set'}: people's pseudonyms are made with it."
            raise UsageError(msg, "Set it to 16 random characters or more, the same for every worker, and never change it.")
        return text.encode()


def _read_key(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The file that {PREFIX}ORGANISATION_KEY names can't be read: {path} ({type(error).__name__})."
        raise UsageError(msg, "Name a readable file that holds the key as one line of text.") from error


def read_settings(**given: Any) -> Settings:
    """Read the settings; what is `given` (and isn't None) goes before the environment. `UsageError` names a wrong one."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = PREFIX + "_".join(str(part) for part in first["loc"]).upper()
        msg = f"The setting {name} is wrong: {first['msg'][0].lower()}{first['msg'][1:]}."
        raise UsageError(msg, f"It sets this: {described().get(name, '')}".rstrip(": ")) from error


def described() -> dict[str, str]:
    """Give variable name → description, in order."""
    return {name: description for name, _, description in table()}


def table() -> Iterator[tuple[str, str, str]]:
    """Give (variable, default as text, description) of every setting, as README's table has them."""
    for name, field in Settings.model_fields.items():
        yield PREFIX + name.upper(), _shown(field.default), field.description or ""


def _shown(default: Any) -> str:
    if default is None or isinstance(default, SecretStr):
        return ""
    return str(default).lower() if isinstance(default, bool) else str(default)
