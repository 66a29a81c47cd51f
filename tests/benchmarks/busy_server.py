"""A server on which every cluster is busy making a snapshot: answers of real size, and hardly any work."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow_css.protocol.description import describe
from airflow_css.protocol.provenance import RunIdentity, make_mark

SNAPSHOT_ID = "9dc4f5c9-33c0-45c7-9378-ae35ae350682"
LISTED = 60


def _snapshot(place: int, began: datetime) -> dict[str, Any]:
    identity = RunIdentity("prod", "orders_etl", "backup", f"scheduled__{began.isoformat()}", -1, 0)
    building = place == 0
    return {
        "id": SNAPSHOT_ID if building else f"00000000-0000-0000-0000-{place:012}",
        "name": f"orders-etl-{place}",
        "description": describe(None, identity, make_mark(identity, "orders-*")),
        "status": "BUILDING" if building else "COMPLETED",
        "restoreStatus": "none",
        "backupType": "1",
        "created": began.replace(tzinfo=None).isoformat(timespec="seconds"),
        "startTime": int(began.timestamp() * 1000),
        "endTime": None if building else int((began + timedelta(seconds=900)).timestamp() * 1000),
        "indices": "orders-2026-11,orders-2026-10,customers",
        "totalShards": 0 if building else 7,
        "failedShards": 0,
        "bucketName": "css-backups",
        "clusterId": "4f3deec3-efa8-4598-bf91-560aad1377a3",
        "clusterName": "search-prod",
        "datastore": {"type": "elasticsearch", "version": "7.10.2"},
    }


def _reply(body: Any) -> bytes:
    text = json.dumps(body).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)


def _replies() -> tuple[bytes, bytes]:
    now = datetime.now(UTC) - timedelta(minutes=10)
    listed = [_snapshot(place, now - timedelta(days=place)) for place in range(LISTED)]
    cluster = {"id": "x", "name": "search-prod", "status": "200", "actions": ["SNAPSHOTTING"], "backupAvailable": True}
    return _reply({"backups": listed}), _reply(cluster)


LIST, CLUSTER = _replies()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one connection until it closes."""
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            writer.write(LIST if b"/index_snapshots" in head.partition(b"\r\n")[0] else CLUSTER)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve on a free port of this machine, and print the port."""
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
