//! What renews the credentials of a profile, by where the profile has them from.
//!
//! Only for words on the screen: which credentials are used is the SDK's to find out.

use std::path::PathBuf;

/// The command, or the sentence, that renews them.
pub(super) fn command(profile: &str) -> String {
    let home = |name: &str| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".aws").join(name));
    let file = |variable: &str, name: &str| {
        let path = std::env::var_os(variable).map(PathBuf::from).or_else(|| home(name));
        path.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default()
    };
    let config = file("AWS_CONFIG_FILE", "config");
    let keys = file("AWS_SHARED_CREDENTIALS_FILE", "credentials");
    of_files(profile, &config, &keys)
}

fn of_files(profile: &str, config: &str, keys: &str) -> String {
    let head = if profile == "default" { String::from("default") } else { format!("profile {profile}") };
    let has = |key: &str| section(config, &head).any(|own| own == key) || section(keys, profile).any(|own| own == key);
    // A role is assumed with the credentials of another profile, which are the ones that end.
    let source = value(config, &head, "source_profile").filter(|source| *source != profile);
    if let Some(source) = source.filter(|_| has("role_arn")) {
        // Without its own role a circle of profiles ends here.
        return of_files(source, &config.replace("role_arn", "role_arn_of_source"), keys);
    }
    if has("sso_session") || has("sso_start_url") {
        format!("aws sso login --profile {profile}")
    } else if has("login_session") {
        format!("aws login --profile {profile}")
    } else if has("credential_process") {
        format!("renew what credential_process of profile {profile} asks for")
    } else if has("aws_access_key_id") {
        format!("put new keys into profile {profile}")
    } else {
        format!("aws sso login --profile {profile}")
    }
}

/// The keys of a section.
fn section<'a>(text: &'a str, head: &'a str) -> impl Iterator<Item = &'a str> {
    lines(text, head).map(|(key, _)| key)
}

fn value<'a>(text: &'a str, head: &'a str, wanted: &str) -> Option<&'a str> {
    lines(text, head).find(|(key, _)| *key == wanted).map(|(_, value)| value)
}

fn lines<'a>(text: &'a str, head: &'a str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let is_head = |line: &str| line.trim_start().starts_with('[');
    let name = |line: &'a str| line.trim().trim_start_matches('[').split(']').next().unwrap_or_default().trim();
    text.lines()
        .skip_while(move |line| !(is_head(line) && name(line) == head))
        .skip(1)
        .take_while(move |line| !is_head(line))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::of_files;

    const CONFIG: &str = "[default]\nregion = eu-central-1\n[profile sso]\nsso_session = corp\n\
        [profile tool]\ncredential_process = /opt/tool\n[profile role]\nrole_arn = arn:x\nsource_profile = sso\n\
        [profile round]\nrole_arn = arn:y\nsource_profile = trip\n[profile trip]\nrole_arn = arn:z\n\
        source_profile = round\n[profile new]\nlogin_session = arn:l\n";

    #[test]
    fn each_source_has_a_remedy_of_its_own() {
        let keys = "[static]\naws_access_key_id = AKIA\n";
        for (profile, remedy) in [
            ("sso", "aws sso login --profile sso"),
            ("role", "aws sso login --profile sso"),
            ("new", "aws login --profile new"),
            ("tool", "renew what credential_process of profile tool asks for"),
            ("static", "put new keys into profile static"),
            ("nowhere", "aws sso login --profile nowhere"),
            ("round", "aws sso login --profile trip"),
        ] {
            assert_eq!(of_files(profile, CONFIG, keys), remedy);
        }
    }
}
