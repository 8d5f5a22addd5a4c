"""Settings as a test gives them."""

from pydantic_settings import SettingsConfigDict

from pixy_grpc.settings import Settings


class OwnSettings(Settings):
    """Settings that take nothing from the `.env` of whoever runs the tests."""

    model_config = SettingsConfigDict(env_file=None)
