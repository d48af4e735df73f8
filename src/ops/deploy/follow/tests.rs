//! What failed and what did not, which failure is the cause, and what an end says.

use super::*;

fn happened(at: i64, path: &[&str], id: &str, status: &str, reason: &str) -> Happened {
    Happened {
        at,
        path: path.iter().map(|part| (*part).to_owned()).collect(),
        logical_id: id.to_owned(),
        type_name: "AWS::SQS::Queue".to_owned(),
        status: status.to_owned(),
        reason: Some(reason.to_owned()),
    }
}

fn failure(event: Happened) -> Failure {
    Failure { event, physical_id: None }
}

#[test]
fn what_was_cancelled_did_not_fail() {
    assert!(is_failure(&happened(1, &[], "Queue", "UPDATE_FAILED", "Access denied")));
    assert!(!is_failure(&happened(1, &[], "Queue", "CREATE_FAILED", "Resource creation cancelled")));
    assert!(!is_failure(&happened(1, &[], "Queue", "UPDATE_COMPLETE", "")));
}

#[test]
fn the_cause_is_within_the_stack_that_failed_and_else_what_came_first() {
    let outer = failure(happened(5, &[], "Database", "CREATE_FAILED", "Embedded stack was not created"));
    assert!(precedes(&happened(5, &["Database"], "Table", "CREATE_FAILED", "exists"), &outer));
    assert!(!precedes(&happened(9, &["Other"], "Table", "CREATE_FAILED", "exists"), &outer));
    assert!(precedes(&happened(4, &[], "Queue", "CREATE_FAILED", "denied"), &outer));
    let inner = failure(happened(5, &["Database"], "Table", "CREATE_FAILED", "exists"));
    assert!(!precedes(&happened(6, &[], "Database", "CREATE_FAILED", "Embedded"), &inner));
}

#[test]
fn an_end_says_what_the_stack_is_now_and_what_leads_on() {
    let failed = failure(happened(5, &["Database"], "Table", "CREATE_FAILED", "already exists"));
    let ended = |status: &str| Ended { status: status.to_owned(), stack: None, failure: Some(failed.clone()), took: 0 };
    assert_eq!(ended("UPDATE_COMPLETE").why("shop"), None);
    let back = ended("UPDATE_ROLLBACK_COMPLETE").why("shop").unwrap();
    assert!(back.reason.contains("runs what it ran before") && back.hint.is_none(), "{back:?}");
    assert!(back.reason.contains("Database/Table (AWS::SQS::Queue) CREATE_FAILED: already exists"), "{back}");
    for status in ["ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED"] {
        assert!(ended(status).why("shop").unwrap().hint.unwrap().contains("plumb recover shop"), "{status}");
    }
}
