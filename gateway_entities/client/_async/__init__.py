"""The asyncio client, from which proto/generate.py makes the blocking one."""
