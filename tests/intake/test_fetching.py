"""Pages from a web server on this machine: what is fetched, and what is refused."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from claimsieve.errors import DataError
from claimsieve.intake import fetching
from claimsieve.intake.fetching import fetch, is_public
from claimsieve.intake.sources import read_source


class _Server(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/story":
            self._send(200, b"<p>The dam burst.</p>", **{"Content-Type": "text/html; charset=utf-8"})
        elif path == "/packed":
            packing = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
            self._send(200, gzip.compress(b"The dam burst."), **packing)
        elif path == "/bomb":
            packing = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
            self._send(200, gzip.compress(b"a" * 11_000_000), **packing)
        elif path == "/large":
            self._send(200, b"a" * 10_000_001, **{"Content-Type": "text/plain"})
        elif path == "/picture":
            self._send(200, b"\x89PNG", **{"Content-Type": "image/png"})
        elif path == "/gone":
            self._send(301, b"", Location="/story?a=b")
        elif path == "/elsewhere":
            self._send(302, b"", Location="ftp://example.org/story")
        elif path == "/round":
            self._send(302, b"", Location="/round")
        elif path == "/nowhere":
            self._send(302, b"", Location="http://[bad")
        elif path == "/short":
            self._send(200, b"The dam burst.", **{"Content-Type": "text/plain", "Content-Length": "100"})
        elif path == "/half":
            packing = {"Content-Type": "text/plain", "Content-Encoding": "gzip"}
            self._send(200, gzip.compress(b"The dam burst." * 99)[:-9], **packing)
        elif path == "/escaped":
            self._send(200, b"\\ud800 \xe9", **{"Content-Type": "text/plain; charset=unicode_escape"})
        elif path == "/drip":
            self.wfile.write(b"HTTP/1.0 200 OK\r\n")
            for _ in range(50):
                self.wfile.write(b"X-A: b\r\n")
                self.wfile.flush()
                time.sleep(0.1)
        else:
            self._send(404, b"")

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    server.daemon_threads = True
    server.handle_error = lambda *arguments: None  # a client that hangs up is no news
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_page_is_fetched_with_its_form_and_where_it_stands(site):
    page = fetch(f"{site}/gone", allow_private=True)
    assert (page.url, page.content, page.media_type, page.charset) == (
        f"{site}/story?a=b",
        b"<p>The dam burst.</p>",
        "text/html",
        "utf-8",
    )
    source = read_source(f"{site}/packed", allow_private=True)
    assert (source.text, source.form, source.url) == ("The dam burst.", "text", f"{site}/packed")


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/none", "found HTTP status 404"),
        ("/large", "expected at most 10,000,000 bytes"),
        ("/bomb", "expected at most 10,000,000 bytes"),
        ("/picture", "expected HTML or text, found image/png"),
        ("/round", "expected at most 5 redirects"),
        ("/elsewhere", "expected an address such as https"),
        ("/nowhere", r"expected a redirect to an address, found one to 'http://\[bad'"),
        ("/short", "cannot be fetched: it was cut short"),
        ("/half", "expected a whole gzip answer, found a broken one"),
        ("/a b", "without spaces"),
    ],
)
def test_what_is_no_page_is_refused(site, path, message):
    with pytest.raises(DataError, match=message):
        fetch(site + path, allow_private=True)


def test_half_a_character_that_an_encoding_gives_is_no_text(site):
    with pytest.raises(DataError, match="expected text in 'unicode_escape', as it says, found other bytes"):
        read_source(f"{site}/escaped", allow_private=True)


def test_private_networks_are_closed_unless_they_are_opened(site):
    with pytest.raises(DataError, match=r"found 127\.0\.0\.1, which is private. Allow it with --allow-private"):
        fetch(f"{site}/story")


def test_a_redirect_into_a_private_network_is_refused_too(site, monkeypatch):
    """The first address passes for a public one; the one that it leads to is looked at again."""
    asked: list[str] = []
    monkeypatch.setattr(fetching, "is_public", lambda address: asked.append(address) or len(asked) == 1)
    with pytest.raises(DataError, match="which is private"):
        fetch(f"{site}/gone")


def test_a_server_that_drips_is_given_up(site):
    with pytest.raises(DataError, match="it took too long"):
        fetch(f"{site}/drip", allow_private=True, timeout_seconds=0.5)


def test_without_a_network_the_message_says_what_to_do(monkeypatch):
    def offline(*arguments: object, **named: object) -> None:
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", offline)
    with pytest.raises(DataError, match=r"'example\.org' was not found .* save the page and give its file"):
        fetch("https://example.org/story")


@pytest.mark.parametrize("address", ["http://", "http://user:a@example.org/", "http://a:99999/", "file:///etc/passwd"])
def test_other_addresses_are_none(address):
    with pytest.raises(DataError, match="expected an address such as"):
        fetch(address)


def test_which_addresses_are_public():
    public = ("93.184.216.34", "2606:4700::1111")
    private = (
        *(
            "127.0.0.1",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *(
            "::1",
            "fe80::1",
            "fe80::1%eth0",
            "fc00::1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "::7f00:1",
            "no",
        ),
    )
    assert [address for address in (*public, *private) if is_public(address)] == list(public)
