"""The examples of the OpenAPI page, asked again.

`python -m tests.examples localhost:8000` asks a running server of the shipped bundles, and writes its answers.
"""

import sys

import httpx
import orjson

from service.schemas.examples import EXAMPLES, FILE, Example

LINES = {"accept": "application/x-ndjson"}


def ask(client: httpx.Client, verb: str, example: Example) -> Example:
    """The example with what the server answers today."""
    url = f"/v2/models/{example.model}/{verb}"
    answer = client.post(url, json=example.request).raise_for_status().json()
    lines = "" if verb == "infer" else client.post(url, json=example.request, headers=LINES).raise_for_status().text
    return example.model_copy(update={"answer": answer, "lines": lines})


def main(address: str) -> None:
    with httpx.Client(base_url=f"http://{address}") as client:
        asked = {verb: ask(client, verb, example).model_dump() for verb, example in EXAMPLES.items()}
    FILE.write_bytes(orjson.dumps(asked).replace(b'},"', b'},\n"') + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
