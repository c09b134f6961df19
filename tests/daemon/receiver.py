"""A datagram socket that prints what it gets, one repr a line, as systemd would get it.

Prints "ready" first. Argument: a path, or @ and a name in the abstract space.
"""
import socket
import sys

name = sys.argv[1]
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
receiver.bind("\0" + name[1:] if name.startswith("@") else name)
print("ready", flush=True)
while True:
    message, _, _, _ = receiver.recvmsg(65536, 1024)
    print(repr(message.decode()), flush=True)
