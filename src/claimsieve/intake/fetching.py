"""A page from the web: few redirects, limits of size and time, and no way into a private network."""

import http.client
import ipaddress
import socket
import ssl
import zlib
from contextlib import closing, suppress
from dataclasses import dataclass
from threading import Event, Timer
from typing import Any
from urllib.parse import urljoin, urlsplit

from claimsieve import __version__
from claimsieve.errors import DataError

MAX_BYTES = 10_000_000
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 30.0

_REDIRECTS = (301, 302, 303, 307, 308)
_MEDIA_TYPES = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown")
_HEADERS = {
    "User-Agent": f"claimsieve/{__version__}",
    "Accept": "text/html,text/plain,text/markdown",
    "Accept-Encoding": "gzip",
}
# Addresses of IPv6 that carry one of IPv4 in their last 32 bits: NAT64, and IPv4-compatible ones.
_CARRIERS = tuple(ipaddress.ip_network(network) for network in ("64:ff9b::/96", "64:ff9b:1::/48", "::/96"))


@dataclass(frozen=True, slots=True)
class Page:
    """What came back: where it stands after redirects, its bytes unpacked, its media type, and its encoding if told."""

    url: str
    content: bytes
    media_type: str
    charset: str | None


def is_address(name: str) -> bool:
    """Whether a name is a web address and not a file."""
    return name.lower().startswith(("http://", "https://"))


def fetch(url: str, *, allow_private: bool = False, timeout_seconds: float = TIMEOUT_SECONDS) -> Page:
    """The page at an address, following at most MAX_REDIRECTS redirects, each checked like the first address.

    allow_private: also from private, loopback and link-local networks. timeout_seconds: for each request as a whole.
    The connection goes to the very address that was checked, so a name that resolves otherwise the next moment leads
    nowhere else. Proxies of the environment are not used. Raises DataError.
    """
    address = url
    for _ in range(MAX_REDIRECTS + 1):
        found = _request(address, allow_private=allow_private, timeout_seconds=timeout_seconds)
        if isinstance(found, Page):
            return found
        try:
            address = urljoin(address, found)
        except ValueError:
            raise DataError(f"{url}: expected a redirect to an address, found one to '{found[:200]}'.") from None
    raise DataError(f"{url}: expected at most {MAX_REDIRECTS} redirects, found more. Save the page and give its file.")


def _request(url: str, *, allow_private: bool, timeout_seconds: float) -> Page | str:
    """One request: the page, or where it has gone."""
    scheme, host, port, target = _parts(url)
    raw = _connected(url, host, port, allow_private=allow_private, timeout_seconds=timeout_seconds)
    sockets: list[Any] = [raw]
    # A server that drips a byte a second keeps every single read within its time, so the whole has one too.
    late = Event()  # the timer's thread lives while it shuts, so being alive would tell nothing
    timer = Timer(timeout_seconds, _shut, (sockets, late))
    timer.daemon = True
    timer.start()
    try:
        connection = http.client.HTTPConnection(host, port, timeout=timeout_seconds)
        if scheme == "https":
            context = ssl.create_default_context()
            sockets.append(context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False))
            sockets[-1].do_handshake()
        connection.sock = sockets[-1]
        with closing(connection):
            default = port == (443 if scheme == "https" else 80)
            name = f"[{host}]" if ":" in host else host
            connection.request("GET", target, headers={**_HEADERS, "Host": name if default else f"{name}:{port}"})
            answer = _answer(url, connection.getresponse())
            if late.is_set():  # what was read is cut short, and may look whole
                raise TimeoutError
            return answer
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = "it took too long" if late.is_set() else _reason(error)
        raise DataError(f"{url}: cannot be fetched: {reason}. Save the page and give its file.") from None
    finally:
        timer.cancel()
        sockets[-1].close()


def _parts(url: str) -> tuple[str, str, int, str]:
    """Scheme, host, port, and path with query. Raises DataError for what is no plain web address."""
    try:
        parts = urlsplit(url)
        port, host = (
            parts.port,
            (parts.hostname or "").encode("idna" if not (parts.hostname or "").isascii() else "ascii"),
        )
    except (ValueError, UnicodeError):
        parts, port, host = None, None, b""
    if parts is None or parts.scheme not in ("http", "https") or not host or parts.username is not None:
        raise DataError(f"{url[:200]}: expected an address such as https://example.org/story, without a user's name.")
    target = parts.path or "/"
    if parts.query:
        target = f"{target}?{parts.query}"
    if any(character <= " " or character == "\x7f" for character in target):
        raise DataError(f"{url[:200]}: expected an address without spaces and control characters.")
    quoted = "".join(c if c.isascii() else "".join(f"%{byte:02X}" for byte in c.encode()) for c in target)
    return parts.scheme, host.decode("ascii"), port or (443 if parts.scheme == "https" else 80), quoted


def _connected(url: str, host: str, port: int, *, allow_private: bool, timeout_seconds: float) -> socket.socket:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise DataError(
            f"{url}: cannot be fetched: '{host}' was not found ({_reason(error)}). Without a network, save the page "
            "and give its file."
        ) from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    # All of them must be public: a name with one address of each kind would be a way in.
    private = next((address for address in addresses if not is_public(address)), None)
    if private is not None and not allow_private:
        raise DataError(
            f"{url}: expected a public address, found {private}, which is private. Allow it with --allow-private."
        )
    failure: OSError | None = None
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=timeout_seconds)
        except OSError as error:
            failure = error
    raise DataError(f"{url}: cannot be fetched: {_reason(failure)}. Save the page and give its file.")


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet, also the one that an IPv6 address carries within it."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        carried = found.ipv4_mapped or found.sixtofour
        if carried is None and any(found in network for network in _CARRIERS):
            carried = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if carried is not None:
            return is_public(str(carried))
    return found.is_global and not found.is_multicast and not found.is_reserved


def _shut(sockets: list[Any], late: Event) -> None:
    late.set()
    with suppress(OSError):
        sockets[-1].shutdown(socket.SHUT_RDWR)


def _answer(url: str, response: http.client.HTTPResponse) -> Page | str:
    if response.status in _REDIRECTS and (place := response.getheader("Location")):
        return place
    if response.status != 200:
        raise DataError(
            f"{url}: expected a page, found HTTP status {response.status}. Save the page and give its file."
        )
    media_type = response.headers.get_content_type()
    if media_type not in _MEDIA_TYPES:
        raise DataError(f"{url}: expected HTML or text, found {media_type}.")
    content = response.read(MAX_BYTES + 1)
    if response.length and len(content) <= MAX_BYTES:  # so much was announced and has not come
        raise http.client.IncompleteRead(content, response.length)
    packing = (response.getheader("Content-Encoding") or "identity").lower()
    if packing == "gzip":
        try:
            unpacking = zlib.decompressobj(31)
            content = unpacking.decompress(content, MAX_BYTES + 1)
            if not unpacking.eof and len(content) <= MAX_BYTES:
                raise zlib.error("it is cut short")
        except zlib.error:
            raise DataError(f"{url}: expected a whole gzip answer, found a broken one. Fetch it again.") from None
    elif packing != "identity":
        raise DataError(f"{url}: expected plain text or gzip, found '{packing[:40]}'. Save the page and give its file.")
    if len(content) > MAX_BYTES:
        raise DataError(f"{url}: expected at most {MAX_BYTES:,} bytes, found more. Save the article's text as a file.")
    return Page(url, content, media_type, response.headers.get_content_charset())


def _reason(error: BaseException | None) -> str:
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, http.client.IncompleteRead):
        return "it was cut short"
    return str(getattr(error, "strerror", None) or error or "no address")
