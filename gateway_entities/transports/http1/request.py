"""HTTP/1.1 requests."""

from __future__ import annotations

from typing import NamedTuple

from gateway_entities.errors import Code, GatewayError


class HttpRequest(NamedTuple):
    """An HTTP request.

    Attributes:
        verb: the HTTP method.
        path: the path, with the query if there is one.
        headers: all headers except content-length; host first.
        body: the content.
    """

    verb: str
    path: str
    headers: list[tuple[str, str]]
    body: bytes

    def encode(self) -> bytes:
        """Return the request's bytes.

        Raises:
            GatewayError: INTERNAL if the path or a header would change the framing.
        """
        lines = [f"{self.verb} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers)]
        head = "\r\n".join([*lines, f"content-length: {len(self.body)}", "", ""])
        # The callers validate all parts. This is a second barrier against header injection and request smuggling.
        if (
            head.count("\n") != len(lines) + 2
            or head.count("\r") != len(lines) + 2
            or lines[0].count(" ") != 2
            or not head.isascii()
        ):
            raise GatewayError(Code.INTERNAL, "the path or headers of a request are not valid HTTP")
        return head.encode("ascii") + self.body
