"""The Python client of PixyProxy.

with Client() as client:
    creation = client.create("A red fox in the snow")
    client.download(creation.image.guid, "fox.png")
"""

TYPE_CHECKING = False  # that of typing, which takes long to import

if TYPE_CHECKING:
    from pixy_client.exports import *  # noqa: F403 - its __all__ is what is public here
else:

    def __getattr__(name: str) -> object:
        """Import the client with the first use of a name of it: all but modules are capitals.

        gRPC and pydantic take half a second. Who imports one module of this package need
        not wait for them, as the command does not before it handles signals.
        """
        if name != "__all__" and not name[:1].isupper():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415 - not needed before

        value = globals()[name] = getattr(import_module("pixy_client.exports"), name)
        return value

    def __dir__() -> list[str]:
        return sorted({*globals(), *__getattr__("__all__")})
