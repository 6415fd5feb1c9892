"""The RPCs of spending, and the ledger of budget windows."""
