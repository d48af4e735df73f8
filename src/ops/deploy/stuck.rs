//! Statuses in which a stack takes no deployment, and the ways out of them, by name.

use crate::aws::cloudformation::StackInfo;
use crate::compare::Why;

/// Why a stack cannot be deployed as it is, and what leads out.
pub(super) fn refuse(info: &StackInfo) -> Result<(), Why> {
    let name = &info.name;
    let (told, hint) = match info.status.as_str() {
        "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => (
            "it was never made whole, and can only be deleted",
            format!("plumb recover {name} deletes what is left of it; then deploy again"),
        ),
        "UPDATE_ROLLBACK_FAILED" => (
            "its last rollback failed, and it takes no change until that has ended",
            format!("plumb recover {name} goes on with the rollback; --skip RESOURCE leaves one out"),
        ),
        "UPDATE_FAILED" => {
            ("its last update failed and was not rolled back", format!("plumb recover {name} rolls it back"))
        }
        "DELETE_FAILED" => (
            "its deletion failed halfway",
            format!("plumb recover {name} deletes the rest; --retain RESOURCE leaves one behind"),
        ),
        _ => return Ok(()),
    };
    Err(Why::new(format!("{name} is {}: {told}", info.status)).hint(hint))
}
