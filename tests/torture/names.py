# SPDX-License-Identifier: MIT
"""A DNS server for the torture run, on 127.8.7.6 port 53 (root only), UDP and TCP: every name is 127.0.0.1 and has no IPv6
address. A name that begins with "cut" is only told over TCP; the UDP answer is marked as cut short."""
import socket, struct, threading

ADDRESS = "127.8.7.6"


def name_and_rest(message):
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]])
        at += 1 + message[at]
    return labels, at + 5


def answer(message, over_tcp):
    labels, end = name_and_rest(message)
    kind = struct.unpack(">H", message[end - 4:end - 2])[0]
    cut = not over_tcp and labels[0].startswith(b"cut")
    records = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01" if kind == 1 and not cut else b""
    flags = 0x8180 | (0x0200 if cut else 0)
    return message[:2] + struct.pack(">HHHHH", flags, 1, 1 if records else 0, 0, 0) + message[12:end] + records


def over_udp(server):
    while True:
        message, who = server.recvfrom(2048)
        server.sendto(answer(message, False), who)


def one_connection(peer):
    try:
        with peer, peer.makefile("rb") as stream:
            while head := stream.read(2):
                said = answer(stream.read(struct.unpack(">H", head)[0]), True)
                peer.sendall(struct.pack(">H", len(said)) + said)
    except (OSError, struct.error, IndexError):
        pass


def over_tcp(server):
    while True:
        threading.Thread(target=one_connection, args=(server.accept()[0],), daemon=True).start()


def serve():
    """Raises OSError where the port cannot be had."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind((ADDRESS, 53))
    tcp = socket.socket()
    tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    tcp.bind((ADDRESS, 53))
    tcp.listen(64)
    for function, server in ((over_udp, udp), (over_tcp, tcp)):
        threading.Thread(target=function, args=(server,), daemon=True).start()
