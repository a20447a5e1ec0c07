"""The APIs that a chat can be asked in: OpenAI's three and Anthropic's."""
