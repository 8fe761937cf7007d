import hashlib

from edge.replication.chain import CHAIN_START, chain_step

LOG = "ab" * 16


def test_the_chain_is_as_the_protocol_states_it():
    first = hashlib.sha256(b"edge-log" + LOG.encode() + bytes(32) + b"one").digest()
    assert chain_step(LOG, CHAIN_START, b"one") == first
    second = hashlib.sha256(b"edge-log" + LOG.encode() + first + b"two").digest()
    assert chain_step(LOG, first, b"two") == second


def test_the_chain_tells_order_content_and_log_apart():
    def chained(log, *records):
        chain = CHAIN_START
        for record in records:
            chain = chain_step(log, chain, record)
        return chain

    chains = [
        chained(LOG, b"a", b"b"),
        chained(LOG, b"b", b"a"),
        chained(LOG, b"ab"),
        chained(LOG, b"a"),
        chained("cd" * 16, b"a", b"b"),
    ]
    assert len(set(chains)) == len(chains)
