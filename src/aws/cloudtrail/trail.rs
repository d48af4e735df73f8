//! Whether a trail records: EventBridge gets of CloudTrail what some trail records, and nothing else.

use aws_sdk_cloudtrail::types::{AdvancedEventSelector, ReadWriteType};

use crate::aws::limit::Service;
use crate::aws::{Clients, Error};

/// How a trail is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Whether it records at all.
    pub is_logging: bool,
    /// Whether management events that change something are among what it records.
    pub has_writes: bool,
}

/// How a trail is, by its name or ARN.
pub async fn recording(clients: &Clients, trail: &str) -> Result<Recording, Error> {
    let request = clients.cloudtrail().get_trail_status().name(trail).send();
    let status = clients.send(Service::CloudTrail, "cloudtrail:GetTrailStatus", trail, request).await?;
    let request = clients.cloudtrail().get_event_selectors().trail_name(trail).send();
    let selectors = clients.send(Service::CloudTrail, "cloudtrail:GetEventSelectors", trail, request).await?;
    let basic = selectors.event_selectors.unwrap_or_default();
    let advanced = selectors.advanced_event_selectors.unwrap_or_default();
    let of_basic = basic.iter().any(|selector| {
        let writes = matches!(selector.read_write_type, None | Some(ReadWriteType::All | ReadWriteType::WriteOnly));
        selector.include_management_events.unwrap_or(true) && writes
    });
    // A trail of which nothing is said records all management events.
    let has_writes = (basic.is_empty() && advanced.is_empty()) || of_basic || advanced.iter().any(has_writes);
    Ok(Recording { is_logging: status.is_logging.unwrap_or_default(), has_writes })
}

fn has_writes(selector: &AdvancedEventSelector) -> bool {
    let equals = |field: &str, value: &str| {
        let mut fields = selector.field_selectors().iter();
        fields.any(|found| found.field() == field && found.equals().iter().any(|equal| equal == value))
    };
    equals("eventCategory", "Management") && !equals("readOnly", "true")
}
