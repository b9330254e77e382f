"""Ed25519 signatures: anybody who has the public key can check them, and nobody can make one with it."""

from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from sinks.errors import SinkProblem


def make_key(file: Path) -> str:
    """Write a new private key (PEM, PKCS#8, readable by its owner alone) and give its public key in hexadecimal.

    Raises SinkProblem when the file is there already: exports of before could not be signed alike again.
    """
    key = Ed25519PrivateKey.generate()
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        file.touch(mode=0o600, exist_ok=False)
        file.write_bytes(text)
    except FileExistsError:
        raise SinkProblem(f"{file} is there already", "Name another file; a key is never overwritten") from None
    except OSError as error:
        raise SinkProblem(f"{file} cannot be written: {error.strerror}", "Name another file") from error
    return public_key(key)


def read_key(file: Path) -> Ed25519PrivateKey:
    """The private key of a file. Raises SinkProblem."""
    advice = "`arrears audit key FILE` makes one; audit.signing_key_file says where it is"
    try:
        key = load_pem_private_key(file.read_bytes(), None)
    except OSError as error:
        raise SinkProblem(f"the signing key {file} cannot be read: {error.strerror}", advice) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SinkProblem(f"{file} is no private key in PEM without a password", advice) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SinkProblem(f"the key in {file} is not an Ed25519 key", advice)
    return key


def public_key(key: Ed25519PrivateKey) -> str:
    """The public key in hexadecimal: 32 bytes."""
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
