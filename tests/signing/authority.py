"""A time-stamp authority on loopback: OpenSSL's, which is not ours; and ones that fail, hang or lie."""

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.signing.keys import Certified

CONFIGURATION = """
[tsa]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""

Answer = Callable[[bytes], bytes]


def openssl(folder: Path, stamper: Certified) -> Answer:
    """What `openssl ts -reply` answers to a query."""
    (folder / "tsa.key").write_bytes(stamper.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "tsa.pem").write_bytes(stamper.certificate.public_bytes(Encoding.PEM))
    (folder / "tsa.cnf").write_text(CONFIGURATION.format(folder=folder))
    (folder / "serial").write_text("01")

    def answer(query: bytes) -> bytes:
        (folder / "query.tsq").write_bytes(query)
        command = ["openssl", "ts", "-reply", "-config", "tsa.cnf", "-section", "tsa", "-queryfile", "query.tsq"]
        command += ["-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "reply.tsr"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=20)
        return (folder / "reply.tsr").read_bytes()

    return answer


@contextmanager
def served(answer: Answer, status: int = 200, drip: float = 0) -> Iterator[tuple[str, list[bytes]]]:
    """The address of a server that answers so, and the queries it got; `drip`: a byte at a time, with pauses (s)."""
    queries: list[bytes] = []

    class Asked(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            queries.append(self.rfile.read(int(self.headers["content-length"])))
            body = answer(queries[-1])
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.end_headers()
            for at in range(0, len(body), 1 if drip else len(body) or 1):
                self.wfile.write(body[at : at + 1] if drip else body)
                self.wfile.flush()
                time.sleep(drip)

        def log_message(self, *_arguments: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_arguments: object) -> None:  # whoever asked has hung up
            pass

    server = Server(("127.0.0.1", 0), Asked)
    Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", queries
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def silent() -> Iterator[str]:
    """The address of a server that takes the question and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"


def nowhere() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    return f"http://127.0.0.1:{port}/"
