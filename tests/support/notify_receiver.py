"""A datagram socket that prints what it gets, one JSON text a line.

Prints "ready" first. Argument: a path, or @ and a name in the abstract space.
"""
import json
import socket
import sys

name = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind("\0" + name[1:] if name.startswith("@") else name)
print("ready", flush=True)
while True:
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
