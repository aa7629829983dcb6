"""`python -m bench.naive --port N` serves the baseline with the same server settings as Earshot's."""

import sys

import uvicorn

if __name__ == "__main__":
    uvicorn.run(
        "bench.naive.app:app",
        host="127.0.0.1",
        port=int(sys.argv[sys.argv.index("--port") + 1]),
        access_log=False,
        log_level="warning",
        http="httptools",
        loop="uvloop",
        server_header=False,
        date_header=False,
    )
