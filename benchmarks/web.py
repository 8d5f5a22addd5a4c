"""FastAPI under uvicorn for benchmarks: it serves a folder's files with FileResponse.

`python -m benchmarks.web FOLDER PORT` serves on loopback until it is terminated.
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI
from fastapi.responses import FileResponse


def application(folder: Path) -> FastAPI:
    """Return an application that serves the folder's files by name."""
    app = FastAPI()

    @app.get("/{name}")
    def read(name: str) -> FileResponse:
        return FileResponse(folder / name)

    return app


if __name__ == "__main__":
    uvicorn.run(
        application(Path(sys.argv[1])),
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_level="error",
    )
