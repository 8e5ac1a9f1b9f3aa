"""One of several processes that serve: told on its standard input what to do, and leaving when that ends."""

import os
import signal
import socket
import sys
from threading import Thread

from pydantic import BaseModel

from models.errors import ReparamError
from service import loader, logs
from service.server import serve
from service.settings import Settings


class Order(BaseModel):
    """`socket` and `ready` are file descriptors: to listen on, and to write to when the models are loaded.

    With `load_first` it does not answer before they are.
    """

    settings: Settings
    socket: int
    ready: int
    load_first: bool


def main() -> int:
    logs.configure()
    order = Order.model_validate_json(sys.stdin.buffer.readline())
    loading = loader.start(order.settings)  # so that it starts beside this process
    from service.app import create_app  # the greater part of a start, and nothing that the supervisor needs

    try:
        app = create_app(
            order.settings,
            loader=loading,
            load_first=order.load_first,
            when_loaded=lambda: _tell(order.ready),
        )
    except ReparamError as error:
        print(f"reparam-serve: {error}", file=sys.stderr)
        return os.EX_CONFIG
    Thread(target=_leave_with_the_supervisor, daemon=True).start()
    serve(order.settings, app, [socket.socket(fileno=order.socket)])
    return 0


def _tell(ready: int) -> None:
    os.write(ready, b".")


def _leave_with_the_supervisor() -> None:
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
