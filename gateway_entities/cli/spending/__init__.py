"""The commands of the spending ledger, and its reports."""
