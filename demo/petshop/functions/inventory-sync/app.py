"""Tells the other services every night what is in stock, in batches."""

import json
import os

import botocore.session

SESSION = botocore.session.get_session()
SHELVES = [{"sku": f"PET-{number:04}", "count": (number * 7) % 40} for number in range(1, 61)]


def batches(items, size):
    for start in range(0, len(items), size):
        yield items[start : start + size]


def handler(event, context):
    topic = SESSION.create_client("sns")
    sent = 0
    for batch in batches(SHELVES, int(os.environ["SYNC_BATCH"])):
        topic.publish(TopicArn=os.environ["STOCK_TOPIC"], Message=json.dumps(batch))
        sent += 1
    return {"items": len(SHELVES), "batches": sent}
