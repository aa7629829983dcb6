"""Debian's nginx, run by tests under the configurations in docs/cdn/."""

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import free_port, wait_until

CONFIGURATION = Path(__file__).parents[3] / "docs" / "cdn"


def nginx_with_njs() -> str:
    """Debian's nginx; skips, or fails where it has to be there, when it is not."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    modules = [Path("/usr/share/nginx/modules"), Path("/etc/nginx/modules")]
    if nginx is not None and any((folder / "ngx_http_js_module.so").exists() for folder in modules):
        return nginx
    missing = "no nginx with njs: apt-get install nginx-light libnginx-mod-http-js"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@dataclass
class Nginx:
    """One nginx of a test, in a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "access.log"

    def start(self, configuration: str, changes: dict[str, str]) -> None:
        """Run under this configuration, changed only in what names hosts, paths and secrets."""
        nginx = nginx_with_njs()
        for old, new in changes.items():
            assert old in configuration, old
            configuration = configuration.replace(old, new)
        path = self.folder / "nginx.conf"
        path.write_text(configuration)
        self.process = subprocess.Popen([nginx, "-c", path, "-e", self.folder / "error.log", "-g", "daemon off;"])
        wait_until(self.listens, "nginx to listen", self.process)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=60)


def temporary_folders(folder: Path) -> str:
    """Where nginx may write though it is not run as root."""
    names = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    return "".join(f"{name}_temp_path {folder}/{name};\n" for name in names)
