"""reparam-serve: the service on uvicorn."""

import logging
import sys

import uvicorn
from pydantic_settings import CliApp

from models.errors import ReparamError
from service.app import create_app
from service.settings import Settings


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    settings = CliApp.run(Settings)
    try:
        app = create_app(settings)
    except ReparamError as error:
        print(f"reparam-serve: {error}", file=sys.stderr)
        return 1
    uvicorn.run(app, host=settings.host, port=settings.port, log_level="info", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
