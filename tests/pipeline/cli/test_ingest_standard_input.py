"""Standard input is a pipe; a format that reads a file twice takes it all the same."""

import json
import subprocess
import sys

STATEMENT = """<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Acct><Id>
<IBAN>DE89370400440532013000</IBAN></Id></Acct><Ntry><Amt Ccy="EUR">12.50</Amt><CdtDbtInd>CRDT</CdtDbtInd>
<Sts>BOOK</Sts><BookgDt><Dt>2026-03-31</Dt></BookgDt></Ntry></Stmt></BkToCstmrStmt></Document>
"""


def test_a_statement_through_a_pipe() -> None:
    command = [sys.executable, "-m", "pipeline.cli", "ingest", "--as", "camt053", "--company", "FR01", "--dry-run", "-"]
    done = subprocess.run(command, input=STATEMENT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["amount"] for line in done.stdout.splitlines()] == ["12.50"]
