#!/usr/bin/env python3
"""A user for JSON-RPC whose password the configuration file does not hold: rpcauth.py [-j] USER [PASSWORD]

Prints the line for cloudcoin.conf (or bitcoin.conf), and the password if none was given. PASSWORD "-" reads one without
showing it. The node keeps a salt and the HMAC-SHA-256 of the password under it.
"""
import argparse
import getpass
import hmac
import json
import secrets
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("user", metavar="USER")
    parser.add_argument("password", metavar="PASSWORD", nargs="?")
    parser.add_argument("-j", "--json", action="store_true", help="print one JSON object")
    args = parser.parse_args()
    if not args.user or ":" in args.user:
        parser.error("a user's name is not empty and holds no colon")
    password = args.password
    if password is None:
        password = secrets.token_urlsafe(32)
    elif password == "-":
        password = getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\r\n")
    if not password:
        parser.error("the password is empty")
    salt = secrets.token_hex(16)
    line = f"{args.user}:{salt}${hmac.new(salt.encode(), password.encode(), 'sha256').hexdigest()}"
    if args.json:
        print(json.dumps({"username": args.user, "password": password, "rpcauth": line}, indent=2))
        return
    print(f"Line for the configuration file:\nrpcauth={line}")
    if args.password is None:
        print(f"Password of {args.user}:\n{password}")


if __name__ == "__main__":
    main()
