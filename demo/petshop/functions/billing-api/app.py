"""Takes refunds: checks the order's age and hands the money's way back to the refund queue."""

import json
import os
import time

import botocore.session

SESSION = botocore.session.get_session()
DAY = 86_400


def client(service):
    return SESSION.create_client(service)


def refund_window_days():
    answer = client("ssm").get_parameter(Name=os.environ["REFUND_WINDOW"])
    return int(answer["Parameter"]["Value"])


def find_order(order_id):
    answer = client("dynamodb").get_item(TableName=os.environ["ORDERS_TABLE"], Key={"order_id": {"S": order_id}})
    return answer.get("Item")


def handler(event, context):
    order_id = event.get("order_id")
    if not order_id:
        return {"accepted": False, "reason": "order_id is missing"}
    order = find_order(order_id)
    if order is None:
        return {"accepted": False, "reason": "no such order"}
    age = (time.time() - float(order["placed_at"]["N"])) / DAY
    if age > refund_window_days():
        return {"accepted": False, "reason": "the refund window is over"}
    message = {"order_id": order_id, "cents": int(order["cents"]["N"])}
    client("sqs").send_message(QueueUrl=os.environ["REFUND_QUEUE"], MessageBody=json.dumps(message))
    return {"accepted": True, "cents": message["cents"]}
