"""HTTP/1.1 for clients: the connection pool, blocking and asyncio connections, and the response parser."""
