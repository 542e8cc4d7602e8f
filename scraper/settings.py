"""What the environment, or a `.env` file in this folder, says about the sources."""

from __future__ import annotations

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from farm.errors import SetupError


class SourceSettings(BaseSettings):
    """Where the sources are and how to behave towards them."""

    model_config = SettingsConfigDict(
        env_file=".env", frozen=True, extra="ignore", use_attribute_docstrings=True
    )

    blenderkit_api_key: SecretStr = SecretStr("")
    """Key for BlenderKit; free assets come without one too."""
    blenderkit_server: str = Field(
        default="https://www.blendkit.com",
        validation_alias=AliasChoices("BLENDERKIT_SERVER", "BLENDKIT_SERVER"),
    )
    """BlenderKit's address; the service was renamed to Blendkit in 2026."""
    polyhaven_server: str = "https://api.polyhaven.com"
    """Poly Haven's address."""
    farm_assets_contact: str = ""
    """Address of a person or a page that a site may turn to; part of the User-Agent."""
    farm_assets_spacing_s: float = Field(default=1.0, ge=0)
    """Seconds from one request to the next."""

    @field_validator("blenderkit_api_key")
    @classmethod
    def _key_is_plain(cls, key: SecretStr) -> SecretStr:
        plain = key.get_secret_value().strip()
        if not (plain.isascii() and plain.isprintable()):
            raise ValueError("holds characters that no key has")
        return SecretStr(plain)


def load_source_settings() -> SourceSettings:
    """Read the environment.

    Raises:
        SetupError: A variable is not what it must be.
    """
    try:
        return SourceSettings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        name = str(first["loc"][0]).upper()
        raise SetupError(f"{name}: {first['msg']}; correct it and try again") from None
