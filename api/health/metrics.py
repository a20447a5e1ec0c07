"""What Prometheus reads."""

from prometheus_client import Counter, Gauge, Histogram

CHATS = Counter("dormouse_chats_total", "Chats by how they ended.", ["status", "adapter"])
FIRST_TOKEN_S = Histogram("dormouse_first_token_seconds", "Time to the first token of a stream.")
CHAT_S = Histogram(
    "dormouse_chat_seconds", "Time of a whole chat.", buckets=(0.1, 0.3, 1, 3, 10, 30, 100, 300)
)
SPOOLED = Gauge("dormouse_spooled_traces", "Traces on disk that wait for the database.")
WAITING = Gauge("dormouse_waiting_chats", "Chats that wait for a slot.")
READY = Gauge("dormouse_ready", "1 if database, engine and active adapter are ready.")
