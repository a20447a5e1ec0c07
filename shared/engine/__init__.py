"""The inference engine: vLLM's OpenAI server, talked to over HTTP."""
