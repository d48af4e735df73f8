//! What of a function's configuration is never looked at for itself, and only compared.

use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;

/// A text that two functions share where they are configured the same in all that
/// [`FunctionInfo`](super::FunctionInfo) has no field for. What a version has and `$LATEST` has not is left out: whether it
/// is optimised for SnapStart by now, and who signed it.
pub(super) fn of(answer: &GetFunctionConfigurationOutput) -> String {
    let network = answer.vpc_config.as_ref().map(|vpc| {
        let sorted = |ids: &[String]| {
            let mut ids = ids.to_vec();
            ids.sort();
            ids
        };
        (sorted(vpc.subnet_ids()), sorted(vpc.security_group_ids()), vpc.ipv6_allowed_for_dual_stack)
    });
    // A network that is empty is none.
    let network = network.filter(|(subnets, groups, _)| !subnets.is_empty() || !groups.is_empty());
    let letters = answer.dead_letter_config.as_ref().and_then(|letters| letters.target_arn.as_deref());
    let tracing = answer.tracing_config.as_ref().and_then(|tracing| tracing.mode.as_ref());
    let storage = answer.ephemeral_storage.as_ref().map(|storage| storage.size);
    let image = answer.image_config_response.as_ref().and_then(|image| image.image_config.as_ref());
    let snapshots = answer.snap_start.as_ref().and_then(|snap| snap.apply_on.as_ref());
    format!(
        "{network:?} {letters:?} {tracing:?} {storage:?} {image:?} {snapshots:?} {:?} {:?} {:?}",
        answer.kms_key_arn,
        answer.file_system_configs(),
        answer.logging_config
    )
}

#[cfg(test)]
mod tests {
    use aws_sdk_lambda::types::{
        SnapStartApplyOn, SnapStartOptimizationStatus, SnapStartResponse, TracingConfigResponse, TracingMode,
        VpcConfigResponse,
    };

    use super::*;

    #[test]
    fn what_is_configured_tells_apart_and_what_a_version_comes_to_does_not() {
        let answer = GetFunctionConfigurationOutput::builder;
        let plain = of(&answer().build());
        let network = VpcConfigResponse::builder().subnet_ids("a").subnet_ids("b");
        let other = VpcConfigResponse::builder().subnet_ids("b").subnet_ids("a");
        let within = of(&answer().vpc_config(network.build()).build());
        assert_ne!(plain, within);
        assert_eq!(within, of(&answer().vpc_config(other.build()).build()), "in any order");
        assert_eq!(plain, of(&answer().vpc_config(VpcConfigResponse::builder().build()).build()));
        let traced = TracingConfigResponse::builder().mode(TracingMode::Active).build();
        assert_ne!(plain, of(&answer().tracing_config(traced).build()));
        let snapped = |status| {
            let snap = SnapStartResponse::builder().apply_on(SnapStartApplyOn::PublishedVersions);
            of(&answer().snap_start(snap.optimization_status(status).build()).build())
        };
        assert_ne!(plain, snapped(SnapStartOptimizationStatus::Off));
        assert_eq!(snapped(SnapStartOptimizationStatus::Off), snapped(SnapStartOptimizationStatus::On));
    }
}
