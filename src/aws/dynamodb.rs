//! Items of a DynamoDB table, by signed requests of our own: four operations that read are not worth an SDK crate.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call, endpoint};
use super::{Clients, Error};

/// An item. What it holds may be anybody's, so there is no `Debug`.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Item(Map<String, Value>);

impl Item {
    /// A text.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.get("S")?.as_str()
    }

    /// A whole number.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        self.0.get(name)?.get("N")?.as_str()?.parse().ok()
    }
}

/// What of an index is read: the items of one partition, between two of its range keys.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The table's name.
    pub table: &'a str,
    /// The index's name.
    pub index: &'a str,
    /// The partition key's name and value.
    pub partition: (&'a str, &'a str),
    /// The range key's name.
    pub range: &'a str,
    /// The first range key that is read.
    pub from: &'a str,
    /// The last one.
    pub to: &'a str,
    /// Whether the last come first.
    pub newest_first: bool,
    /// The one attribute that is wanted; `None`: all of them.
    pub only: Option<&'a str>,
    /// The most items of one answer; `None`: as many as the service reads at once, which is 1 MB.
    pub limit: Option<u32>,
}

/// One answer.
pub struct Page {
    /// Its items; of a count, none.
    pub items: Vec<Item>,
    /// How many there are.
    pub count: u64,
    /// Where the next answer begins.
    pub next: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    items: Vec<Item>,
    count: u64,
    last_evaluated_key: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Got {
    item: Option<Item>,
}

/// Reads one item by its key as it is now, whatever was written just before; `None`: there is none.
pub async fn get(clients: &Clients, table: &str, key: (&str, &str)) -> Result<Option<Item>, Error> {
    const OPERATION: &str = "dynamodb:GetItem";
    let (name, value) = key;
    let body = json!({ "TableName": table, "Key": { name: { "S": value } }, "ConsistentRead": true });
    let answer = ask(clients, OPERATION, "DynamoDB_20120810.GetItem", table, &body).await?;
    let got: Got = serde_json::from_str(&answer).map_err(|_| Error::unreadable(OPERATION, table, "item"))?;
    Ok(got.item)
}

/// Reads one page, from `next` of the page before on.
pub async fn page(clients: &Clients, query: Query<'_>, next: Option<&Value>) -> Result<Page, Error> {
    let mut body = query.body();
    if let Some(only) = query.only {
        body["ProjectionExpression"] = json!("#only");
        body["ExpressionAttributeNames"]["#only"] = json!(only);
    }
    ask_page(clients, query, body, next).await
}

/// Counts one page, from `next` of the page before on. It costs what reading would, and moves a number alone.
pub async fn count(clients: &Clients, query: Query<'_>, next: Option<&Value>) -> Result<Page, Error> {
    let mut body = query.body();
    body["Select"] = json!("COUNT");
    ask_page(clients, query, body, next).await
}

/// Reads one page of a whole index, from `next` of the page before on, in no order: the items with this text in that
/// attribute. It costs what reading all of the page would.
pub async fn scan(
    clients: &Clients,
    (table, index): (&str, &str),
    (name, value): (&str, &str),
    next: Option<&Value>,
) -> Result<Page, Error> {
    let body = json!({
        "TableName": table,
        "IndexName": index,
        "FilterExpression": "#name = :value",
        "ExpressionAttributeNames": { "#name": name },
        "ExpressionAttributeValues": { ":value": { "S": value } },
    });
    asked(clients, ("dynamodb:Scan", "DynamoDB_20120810.Scan"), table, body, next).await
}

async fn ask_page(clients: &Clients, query: Query<'_>, body: Value, next: Option<&Value>) -> Result<Page, Error> {
    asked(clients, ("dynamodb:Query", "DynamoDB_20120810.Query"), query.table, body, next).await
}

async fn asked(
    clients: &Clients,
    (operation, target): (&'static str, &'static str),
    subject: &str,
    mut body: Value,
    next: Option<&Value>,
) -> Result<Page, Error> {
    if let Some(next) = next {
        body["ExclusiveStartKey"] = next.clone();
    }
    let answer = ask(clients, operation, target, subject, &body).await?;
    let Answer { items, count, last_evaluated_key } =
        serde_json::from_str(&answer).map_err(|_| Error::unreadable(operation, subject, "items"))?;
    let last = last_evaluated_key.filter(|key| key.as_object().is_some_and(|key| !key.is_empty()));
    if last.is_some() && last.as_ref() == next {
        return Err(Error::unreadable(operation, subject, "end: it repeats a page"));
    }
    Ok(Page { items, count, next: last })
}

impl Query<'_> {
    fn body(&self) -> Value {
        let (partition, value) = self.partition;
        let mut body = json!({
            "TableName": self.table,
            "IndexName": self.index,
            "KeyConditionExpression": "#partition = :partition AND #range BETWEEN :from AND :to",
            "ExpressionAttributeNames": { "#partition": partition, "#range": self.range },
            "ExpressionAttributeValues": {
                ":partition": { "S": value },
                ":from": { "S": self.from },
                ":to": { "S": self.to },
            },
            "ScanIndexForward": !self.newest_first,
        });
        if let Some(limit) = self.limit {
            body["Limit"] = json!(limit);
        }
        body
    }
}

async fn ask(
    clients: &Clients,
    operation: &'static str,
    target: &'static str,
    table: &str,
    body: &Value,
) -> Result<Zeroizing<String>, Error> {
    let call = Call {
        service: Service::DynamoDb,
        operation,
        body: Body::Json { target, content_type: "application/x-amz-json-1.0", text: Zeroizing::new(body.to_string()) },
        endpoint: endpoint(clients, "DYNAMODB", "dynamodb"),
        region: None,
        subject: table,
    };
    Ok(Zeroizing::new(call.send(clients).await?.expose().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_read_by_the_types_of_its_attributes() {
        let item: Item = serde_json::from_str(
            r#"{"id": {"S": "01JD"}, "bytes": {"N": "17"}, "expires": {"N": "1e3"}, "body": {"B": "eA=="}}"#,
        )
        .unwrap();
        assert_eq!((item.text("id"), item.number("bytes")), (Some("01JD"), Some(17)));
        assert_eq!((item.text("bytes"), item.number("id"), item.number("expires")), (None, None, None));
        assert_eq!((item.text("body"), item.text("source")), (None, None));
    }

    #[test]
    fn a_query_names_no_attribute_in_its_expression() {
        let query = Query {
            table: "t",
            index: "by-time",
            partition: ("slot", "2026-11-22#5"),
            range: "id",
            from: "0",
            to: "Z",
            newest_first: true,
            only: None,
            limit: Some(10),
        };
        let body = query.body();
        assert_eq!(body["KeyConditionExpression"], "#partition = :partition AND #range BETWEEN :from AND :to");
        assert_eq!(body["ExpressionAttributeNames"], json!({ "#partition": "slot", "#range": "id" }));
        assert_eq!(body["ExpressionAttributeValues"][":partition"], json!({ "S": "2026-11-22#5" }));
        assert_eq!((&body["ScanIndexForward"], &body["Limit"]), (&json!(false), &json!(10)));
    }
}
