"""Renders the shop's front page from its configuration: the global layer, and the environment's over it."""

import html
import os

import botocore.session

SSM = botocore.session.get_session().create_client("ssm")
PAGE = "<!doctype html><title>{title}</title><h1>{title}</h1><p>{banner}</p>"


def setting(name, default):
    for layer in (os.environ["ENVIRONMENT"], "global"):
        try:
            return SSM.get_parameter(Name=f"/storefront/{layer}/{name}", WithDecryption=True)["Parameter"]["Value"]
        except SSM.exceptions.ParameterNotFound:
            continue
    return default


def handler(event, context):
    title = html.escape(setting("title", "Petshop"))
    banner = html.escape(setting("banner/text", "")) if setting("banner/shown", "false") == "true" else ""
    page = PAGE.format(title=title, banner=banner)
    return {"statusCode": 200, "headers": {"content-type": "text/html; charset=utf-8"}, "body": page}
