"""reparam-serve: the service on uvicorn."""

import sys

import uvicorn
from pydantic import ValidationError
from pydantic_settings import CliApp

from models.errors import ReparamError
from service import logs
from service.app import create_app
from service.door import Door
from service.settings import Settings


def main() -> int:
    logs.configure()
    try:
        settings = CliApp.run(Settings)
        app = create_app(settings)
    except (ReparamError, ValidationError) as error:
        print(f"reparam-serve: {_complaint(error)}", file=sys.stderr)
        return 1
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=Door,
        ws="none",
        proxy_headers=False,  # the address of whoever connects, not what it says
        server_header=False,
        log_config=None,
        access_log=False,
    )
    return 0


def _complaint(error: ReparamError | ValidationError) -> str:
    if isinstance(error, ReparamError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"setting {'.'.join(map(str, first['loc']))}: {first['msg']}"


if __name__ == "__main__":
    sys.exit(main())
