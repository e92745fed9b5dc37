"""Signatures of bundles: who vouches for a text, and which of two texts is the newer one. Ed25519 (RFC 8032), keys in PEM.

A folder's `signature.json` names the digest and a number that its signer counts up. OPA checks neither the time nor the
issuer of a bundle's signature, so that an older text can't come back is ours to see to: by the number.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, load_pem_public_key

from engine.domain.errors import PolicyError, UsageError

FILE: Final = "signature.json"
_CONTEXT: Final = b"covenant bundle v1\n"
"""What is signed begins so: a signature for anything else can't pass for one of a bundle."""
_PEM: Final = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class Signature(msgspec.Struct, frozen=True):
    """What stands in `signature.json`."""

    digest: str
    number: int
    """Counted up by the signer; a lower one is an older text."""
    key: str
    """Which public key verifies it: the first 16 hex digits of its SHA-256."""
    signature: str
    """Base64 of 64 bytes."""


_DECODER: Final = msgspec.json.Decoder(Signature)

Keys = dict[str, Ed25519PublicKey]
"""Name of a key → key."""


def sign(digest: str, number: int, key: Path) -> Signature:
    """Sign a digest with the private key in a PEM file; `UsageError` where there is none."""
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{key} isn't a private key that can be read ({type(error).__name__})."
        raise UsageError(msg, "Make one with `openssl genpkey -algorithm ed25519 -out key.pem`, without a passphrase.") from error
    if not isinstance(private, Ed25519PrivateKey):
        msg = f"{key} isn't an Ed25519 key."
        raise UsageError(msg, "Make one with `openssl genpkey -algorithm ed25519 -out key.pem`.")
    signed = base64.b64encode(private.sign(_said(digest, number))).decode()
    return Signature(digest, number, _name(private.public_key()), signed)


def read_keys(file: Path) -> Keys:
    """Read the public keys of a PEM file, one or several; `UsageError` where it holds none."""
    try:
        found = [load_pem_public_key(block) for block in _PEM.findall(file.read_bytes())]
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        msg = f"{file} can't be read as public keys ({type(error).__name__})."
        raise UsageError(msg, "Write them in PEM: `openssl pkey -in key.pem -pubout`.") from error
    keys = {_name(key): key for key in found if isinstance(key, Ed25519PublicKey)}
    if not keys or len(keys) < len(found):
        msg = f"{file} holds {'keys that are not Ed25519' if found else 'no public key'}."
        raise UsageError(msg, "Write Ed25519 keys in PEM: `openssl pkey -in key.pem -pubout`.")
    return keys


def read_signature(folder: Path) -> Signature | None:
    """Read a folder's signature, None where there is none; `PolicyError` where it can't be read."""
    file = folder / FILE
    try:
        return _DECODER.decode(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        msg = f"{file} isn't a signature: {error}."
        raise PolicyError(msg, "Sign the folder again with `covenant policy sign`, or take the file away.") from error


def verify(digest: str, signature: Signature | None, keys: Keys) -> None:
    """Hold a bundle to its signature by one of `keys`; without keys any bundle will do. `PolicyError` says what is wrong."""
    if not keys:
        return
    do = "Have its author sign it with `covenant policy sign`; COVENANT_POLICY_KEYS names the keys that count."
    if signature is None:
        msg = f"The bundle {digest[:12]} isn't signed."
        raise PolicyError(msg, do)
    if signature.digest != digest:
        msg = f"The bundle {digest[:12]} was changed after it was signed: its signature is of {signature.digest[:12]}."
        raise PolicyError(msg, do)
    key = keys.get(signature.key)
    if key is None:
        msg = f"The bundle {digest[:12]} is signed by another key, {signature.key}."
        raise PolicyError(msg, do)
    try:
        key.verify(base64.b64decode(signature.signature, validate=True), _said(digest, signature.number))
    except (InvalidSignature, binascii.Error) as error:
        msg = f"The signature of bundle {digest[:12]} is wrong."
        raise PolicyError(msg, do) from error


def _said(digest: str, number: int) -> bytes:
    return _CONTEXT + f"{digest}\n{number}\n".encode()


def _name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()[:16]
