"""RPC handling that no protocol owns: dispatch, authentication, the response cache, codecs, errors and limits."""
