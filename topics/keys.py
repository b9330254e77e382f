"""Where an account lives: its key and its partition. All producers must agree on it (DESIGN §2)."""

_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition_key(company: str, account_id: str | None) -> bytes:
    """The record key of an account: `company|account`, UTF-8. Without an account the part after the bar is empty."""
    return f"{company}|{account_id or ''}".encode()


def partition_of(key: bytes, partitions: int) -> int:
    """The partition that Java's default partitioner picks for a key, as does librdkafka's `murmur2_random`.

    Raises ValueError when `partitions` is not positive.
    """
    if partitions < 1:
        raise ValueError(f"a topic has at least one partition, not {partitions}")
    # Java's toPositive: the sign bit is cut off, not the absolute value taken.
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 with Kafka's seed, unsigned (org.apache.kafka.common.utils.Utils.murmur2)."""
    length = len(data)
    hashed = (_SEED ^ length) & _MASK
    whole = length & ~3
    for position in range(0, whole, 4):
        word = int.from_bytes(data[position : position + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        hashed = (hashed * _MULTIPLIER & _MASK) ^ word
    if length > whole:
        # One to three bytes are left; they go in unmixed.
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * _MULTIPLIER & _MASK
    hashed = (hashed ^ hashed >> 13) * _MULTIPLIER & _MASK
    return hashed ^ hashed >> 15
