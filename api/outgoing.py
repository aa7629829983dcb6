"""The one way to ask something of elsewhere: bounded in size and time, and never from inside our own network.

A name is resolved once, the answer is judged, and the connection goes to that very address: a name server that gives
another answer the second time is not asked a second time. Every redirect is judged anew.
"""

import gzip
import socket
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import anyio
import httpx2
from anyio import to_thread

from api.errors import ApiError

MAX_REDIRECTS = 5
MAX_ADDRESSES = 4
"""Of one name, that are tried one after the other."""
CONNECT_SECONDS = 10.0
USER_AGENT = "Earshot/0.2"

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")

Address = IPv4Address | IPv6Address
Judge = Callable[[Address], bool]
Resolve = Callable[[str, int], Awaitable[list[Address]]]


class OutgoingError(ApiError):
    """What was to be fetched cannot be had."""

    status = 422
    code = "unreachable"


class PrivateAddressError(OutgoingError):
    """The address leads into our own network."""

    code = "private_address"


class OversizeError(OutgoingError):
    """There is more of it than we take."""

    code = "too_large"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came back."""

    url: str
    """Where it was in the end, behind all redirects."""
    body: bytes
    """Unpacked."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one fetch may take, redirects included."""

    max_bytes: int
    """Also of what comes out when it is unpacked."""
    seconds: float = 60.0


def is_public(address: Address) -> bool:
    """Whether the address is somebody's on the Internet, also when it is an IPv6 one that stands for IPv4."""
    if isinstance(address, IPv6Address):
        inner = _inner(address)
        if inner is not None:
            return is_public(inner)
        return address in _GLOBAL_UNICAST and address.is_global
    return address.is_global and not address.is_multicast


def _inner(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a translator would send this to; `is_global` looks at none of these forms."""
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour


def anywhere(_address: Address) -> bool:
    """Judges nothing: for an operator who asks for an address in the own network."""
    return True


async def look_up(host: str, port: int) -> list[Address]:
    """The addresses of a name, or of an address in any of the forms that the system takes for one."""
    try:
        found = await to_thread.run_sync(
            lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM), abandon_on_cancel=True
        )
    except (OSError, UnicodeError) as error:
        raise OutgoingError(f"There is no host {host}: {error}.") from error
    return list(dict.fromkeys(ip_address(str(place[0])) for *_, place in found))


def fetch_blocking(url: str, bounds: Bounds, *, is_allowed: Judge = is_public) -> Fetched:
    """`fetch` for where no event loop runs."""
    return anyio.run(lambda: fetch(url, bounds, is_allowed=is_allowed))


async def fetch(url: str, bounds: Bounds, *, is_allowed: Judge = is_public, resolve: Resolve = look_up) -> Fetched:
    """GET a document over HTTP or HTTPS. Raises OutgoingError with what is wrong, for people."""
    try:
        with anyio.fail_after(bounds.seconds):
            return await _follow(_parse(url), bounds, is_allowed, resolve)
    except TimeoutError as error:
        raise OutgoingError(f"{_shown(url)} took longer than {bounds.seconds:g} seconds.") from error


async def post(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    seconds: float,
    is_allowed: Judge = is_public,
    resolve: Resolve = look_up,
) -> int:
    """POST to an address over HTTP or HTTPS; the status of the answer. Raises OutgoingError when there is none.

    No redirect is followed, and nothing of the answer's body is read.
    """
    try:
        with anyio.fail_after(seconds):
            parsed = _parse(url)
            addresses = await _allowed_addresses(parsed, is_allowed, resolve)
            timeout = httpx2.Timeout(seconds, connect=CONNECT_SECONDS)
            async with httpx2.AsyncClient(timeout=timeout, trust_env=False) as client:
                answer = await _ask(client, parsed, addresses, "POST", headers, body)
                await answer.aclose()
                return answer.status_code
    except TimeoutError as error:
        raise OutgoingError(f"{_shown(url)} took longer than {seconds:g} seconds.") from error


async def _follow(url: httpx2.URL, bounds: Bounds, is_allowed: Judge, resolve: Resolve) -> Fetched:
    timeout = httpx2.Timeout(bounds.seconds, connect=CONNECT_SECONDS)
    # A client's pool goes by host, and hosts are addresses here: no connection of one name may serve another.
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with httpx2.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as client:
        for _ in range(MAX_REDIRECTS + 1):
            answer = await _ask(client, url, await _allowed_addresses(url, is_allowed, resolve))
            try:
                if not answer.has_redirect_location:
                    return Fetched(str(url), await _read(answer, url, bounds.max_bytes))
                url = _parse(str(url.join(answer.headers["location"])))
            except httpx2.HTTPError as error:
                raise OutgoingError(f"{_shown(url)} broke off: {error or type(error).__name__}.") from error
            finally:
                await answer.aclose()
    raise OutgoingError(f"There are more than {MAX_REDIRECTS} redirects, the last to {_shown(url)}.")


def _parse(text: str) -> httpx2.URL:
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise OutgoingError(f"{text[:200]!r} is no address: {error}.") from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise OutgoingError(f"{text[:200]!r} is no address on the web. Give one with http:// or https://.")
    return url


def check_address(url: str, *, is_private_allowed: bool) -> None:
    """Refuse an address to which nothing will ever be posted. Names are looked up when something is. Raises
    OutgoingError."""
    parsed = _parse(url)
    if parsed.userinfo:
        raise OutgoingError("Give the address without a user name and password; what is sent is signed.")
    if is_private_allowed:
        return
    if parsed.scheme != "https":
        raise OutgoingError(f"{_shown(parsed)} is not secret on its way. Give an address with https://.")
    try:
        address = ip_address(parsed.host)
    except ValueError:
        return
    if not is_public(address):
        raise PrivateAddressError(f"{_shown(parsed)} is not on the public Internet.")


def _shown(url: httpx2.URL | str) -> str:
    """An address without the password in it."""
    return str(httpx2.URL(url).copy_with(username=None, password=None)) if "@" in str(url) else str(url)


async def _allowed_addresses(url: httpx2.URL, is_allowed: Judge, resolve: Resolve) -> list[Address]:
    addresses = await resolve(url.host, url.port or (443 if url.scheme == "https" else 80))
    # One that is not allowed among many is refused too: who answers so means to try.
    for address in addresses:
        if not is_allowed(address):
            raise PrivateAddressError(f"{_shown(url)} is at {address}, which is not on the public Internet.")
    if not addresses:
        raise OutgoingError(f"There is no host {url.host}.")
    return addresses[:MAX_ADDRESSES]


async def _ask(
    client: httpx2.AsyncClient,
    url: httpx2.URL,
    addresses: list[Address],
    method: str = "GET",
    headers: dict[str, str] | None = None,
    body: bytes | None = None,
) -> httpx2.Response:
    """The answer's beginning, from the first address that takes the connection."""
    failure: httpx2.HTTPError | None = None
    for address in addresses:
        request = client.build_request(
            method,
            url.copy_with(host=str(address)),
            content=body,
            headers={
                "Host": url.netloc.decode(),
                "User-Agent": USER_AGENT,
                "Accept-Encoding": "gzip",
                **(headers or {}),
            },
            # Certificates are checked against the name, not against the address that stands in the URL.
            extensions={"sni_hostname": url.host, "timeout": client.timeout.as_dict()},
        )
        try:
            return await client.send(request, stream=True)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            failure = error
        except httpx2.HTTPError as error:
            failure = error
            break
    raise OutgoingError(f"{_shown(url)} does not answer: {failure or type(failure).__name__}.") from failure


async def _read(answer: httpx2.Response, url: httpx2.URL, max_bytes: int) -> bytes:
    if not answer.is_success:
        raise OutgoingError(f"{_shown(url)} answers {answer.status_code} {answer.reason_phrase}.")
    packed = bytearray()
    async for part in answer.aiter_raw():
        packed += part
        if len(packed) > max_bytes:
            raise OversizeError(f"{_shown(url)} has more than {max_bytes:,} bytes.")
    match answer.headers.get("content-encoding", "").strip().lower():
        case "" | "identity":
            return bytes(packed)
        case "gzip" | "x-gzip":
            return unpack_gzip(bytes(packed), max_bytes)
        case other:
            raise OutgoingError(f"{_shown(url)} is packed as {other[:40]!r}, which was not asked for.")


def unpack_gzip(packed: bytes, max_bytes: int) -> bytes:
    """What is in there, without unpacking more than so many bytes. Raises OutgoingError."""
    try:
        with gzip.GzipFile(fileobj=BytesIO(packed)) as file:
            unpacked = file.read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise OutgoingError(f"What came is damaged gzip: {error}.") from error
    if len(unpacked) > max_bytes:
        raise OversizeError(f"There are more than {max_bytes:,} bytes in the gzip.")
    return unpacked
