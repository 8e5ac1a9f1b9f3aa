"""reparam-serve: the service on uvicorn, in one process or in several."""

import sys

from pydantic import ValidationError
from pydantic_settings import CliApp

from models.errors import ReparamError
from service import loader, logs, open_files
from service.server import serve
from service.settings import Settings


def main() -> int:
    logs.configure()
    try:
        open_files.check()
        settings = CliApp.run(Settings)
        if settings.workers > 1:
            from service.supervisor import supervise

            return supervise(settings)
        loading = loader.start(settings)  # so that it starts beside this process
        from service.app import create_app  # the greater part of a start

        app = create_app(settings, loader=loading)
    except (ReparamError, ValidationError) as error:
        print(f"reparam-serve: {_complaint(error)}", file=sys.stderr)
        return 1
    serve(settings, app)
    return 0


def _complaint(error: ReparamError | ValidationError) -> str:
    if isinstance(error, ReparamError):
        return str(error)
    first = error.errors(include_url=False)[0]
    return f"setting {'.'.join(map(str, first['loc'])) or 'workers'}: {first['msg']}"


if __name__ == "__main__":
    sys.exit(main())
