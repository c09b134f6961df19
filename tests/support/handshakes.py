"""Shakes hands with a TLS server without a pause, and says what it showed.

Arguments: port, and "tls" or "postgres". One line for each handshake: the
SHA-256 of the server's certificate, or "failed: " and why. Ends with its
standard input. The client trusts everything, since the certificate is compared
afterwards.
"""
import hashlib
import socket
import ssl
import struct
import sys
import threading

# The code of SSLRequest in PostgreSQL's protocol, which comes before TLS.
SSL_REQUEST = struct.pack("!II", 8, 80877103)


def shake(port, kind, context):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        if kind == "postgres":
            plain.sendall(SSL_REQUEST)
            if plain.recv(1) != b"S":
                raise OSError("no TLS here")
        with context.wrap_socket(plain) as secure:
            return hashlib.sha256(secure.getpeercert(True)).hexdigest()


def main():
    port, kind = int(sys.argv[1]), sys.argv[2]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    ended = threading.Event()
    threading.Thread(
        target=lambda: (sys.stdin.read(), ended.set()), daemon=True
    ).start()
    while not ended.is_set():
        try:
            print(shake(port, kind, context), flush=True)
        except OSError as error:
            print(f"failed: {error}", flush=True)


main()
