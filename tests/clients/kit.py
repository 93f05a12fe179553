# SPDX-License-Identifier: BSD-3-Clause
"""As kit.mjs, for Python."""

import json
import os

port = int(os.environ["EBB_PORT"])
url = f"redis://127.0.0.1:{port}"


def try_client(client, version, features):
    """features: a name and a function each; '!' as in kit.mjs."""
    for name, works in features.items():
        why = ""
        try:
            works()
        except Exception as error:
            why = (str(error) or repr(error)).split("\n")[0]
        print(json.dumps({
            "client": client, "version": version,
            "feature": name.removeprefix("!"), "works": why == "",
            "wanted": not name.startswith("!"), "why": why,
        }), flush=True)


def same(got, wanted):
    assert got == wanted, f"{got!r} instead of {wanted!r}"
