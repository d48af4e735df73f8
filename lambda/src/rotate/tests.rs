//! The four steps, done twice, in the wrong order, and beside other writers.

use std::collections::BTreeMap;
use std::sync::Mutex;

use serde_json::json;

use super::*;

/// A secret as Secrets Manager keeps it: versions by id, a label on one version at a time, a token good for one content.
#[derive(Default)]
struct Memory {
    versions: Mutex<BTreeMap<String, String>>,
    labels: Mutex<BTreeMap<String, String>>,
}

impl Memory {
    fn labelled(&self, label: &str) -> Option<String> {
        self.labels.lock().unwrap().get(label).cloned()
    }

    fn ring(&self, label: &str) -> Option<Keyring> {
        let id = self.labelled(label)?;
        Some(Keyring::parse(self.versions.lock().unwrap().get(&id)?).unwrap())
    }

    fn latest(&self) -> u32 {
        self.ring("AWSCURRENT").unwrap().latest
    }
}

impl Store for Memory {
    async fn read(&self) -> Result<Option<Zeroizing<String>>, Unavailable> {
        Ok(self.current().await?.map(|stored| stored.text))
    }

    async fn create(&self, text: &str) -> Result<(), Unavailable> {
        self.put("first", text, "AWSCURRENT").await
    }
}

impl Versions for Memory {
    async fn current(&self) -> Result<Option<Stored>, Unavailable> {
        let Some(id) = self.labelled("AWSCURRENT") else { return Ok(None) };
        let text = self.version(&id).await?;
        Ok(text.map(|text| Stored { id, text }))
    }

    async fn version(&self, id: &str) -> Result<Option<Zeroizing<String>>, Unavailable> {
        Ok(self.versions.lock().unwrap().get(id).cloned().map(Zeroizing::new))
    }

    async fn put(&self, id: &str, text: &str, label: &str) -> Result<(), Unavailable> {
        let mut versions = self.versions.lock().unwrap();
        if !versions.contains_key(id) {
            versions.insert(id.to_owned(), text.to_owned());
            self.labels.lock().unwrap().insert(label.to_owned(), id.to_owned());
        }
        Ok(())
    }

    async fn promote(&self, id: &str, from: &str) -> Result<(), Unavailable> {
        let mut labels = self.labels.lock().unwrap();
        if labels.get("AWSCURRENT").map(String::as_str) != Some(from) {
            return Err(Unavailable::new("AWSCURRENT is on another version"));
        }
        labels.insert("AWSCURRENT".to_owned(), id.to_owned());
        Ok(())
    }

    async fn unlabel(&self, id: &str, label: &str) -> Result<(), Unavailable> {
        self.labels.lock().unwrap().retain(|found, on| found != label || on != id);
        Ok(())
    }

    fn name(&self) -> &'static str {
        "keyring"
    }
}

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];

async fn step(secret: &Memory, step: &str, token: &str) -> Result<Report, Error> {
    let event = json!({"Step": step, "SecretId": "keyring", "ClientRequestToken": token, "RotationToken": "x"});
    handle(secret, &event.to_string()).await
}

async fn set_minimum(secret: &Memory, minimum: u32) -> Result<Report, Error> {
    let event = json!({"operation": "set-minimum", "min_decryption_version": minimum});
    handle(secret, &event.to_string()).await
}

async fn with_first_key() -> Memory {
    let secret = Memory::default();
    secret.create(&Keyring::generate().unwrap().text().unwrap()).await.unwrap();
    secret
}

#[tokio::test]
async fn four_steps_add_one_version_however_often_each_is_asked_for() {
    let secret = with_first_key().await;
    let before = secret.ring("AWSCURRENT").unwrap();
    for name in STEPS {
        let first = step(&secret, name, "token-1").await.unwrap();
        assert_eq!(first.latest, Some(2), "{name}");
        let again = step(&secret, name, "token-1").await.unwrap();
        assert_eq!((again.outcome, again.latest), ("unchanged", Some(2)), "{name}");
    }
    assert!(secret.ring("AWSCURRENT").unwrap().succeeds(&before));
    for name in STEPS {
        let late = step(&secret, name, "token-1").await.unwrap();
        assert_eq!(late.outcome, "unchanged", "{name} of a rotation that is done");
    }
    assert_eq!(secret.latest(), 2);
}

#[tokio::test]
async fn a_rotation_before_the_first_key_makes_that_one_too() {
    let secret = Memory::default();
    for name in STEPS {
        step(&secret, name, "token-1").await.unwrap();
    }
    assert_eq!(secret.latest(), 2);
}

#[tokio::test]
async fn a_key_that_was_made_meanwhile_is_not_lost() {
    let secret = with_first_key().await;
    step(&secret, "createSecret", "slow").await.unwrap();
    for name in STEPS {
        step(&secret, name, "quick").await.unwrap();
    }
    let current = secret.ring("AWSCURRENT").unwrap();
    for name in ["testSecret", "finishSecret"] {
        assert_eq!(step(&secret, name, "slow").await.unwrap_err(), Error::Overtaken, "{name}");
    }
    assert!(secret.ring("AWSCURRENT").unwrap().equals(&current));
    assert_ne!(secret.labelled("AWSPENDING").as_deref(), Some("slow"), "or no later rotation could begin");
    for name in STEPS {
        step(&secret, name, "next").await.unwrap();
    }
    assert_eq!(secret.latest(), 3);
}

#[tokio::test]
async fn a_minimum_that_was_set_meanwhile_is_not_lost() {
    let secret = with_first_key().await;
    for name in STEPS {
        step(&secret, name, "token-1").await.unwrap();
    }
    step(&secret, "createSecret", "token-2").await.unwrap();
    set_minimum(&secret, 2).await.unwrap();
    assert_eq!(step(&secret, "finishSecret", "token-2").await.unwrap_err(), Error::Overtaken);
    assert_eq!(secret.ring("AWSCURRENT").unwrap().min_decryption_version, 2);
}

#[tokio::test]
async fn a_minimum_is_set_and_taken_back_and_is_one_of_the_versions() {
    let secret = with_first_key().await;
    for name in STEPS {
        step(&secret, name, "token-1").await.unwrap();
    }
    for minimum in [2, 1, 2] {
        assert_eq!(set_minimum(&secret, minimum).await.unwrap().outcome, "done");
        assert_eq!(secret.ring("AWSCURRENT").unwrap().min_decryption_version, minimum);
        assert_eq!(secret.labelled(NEXT), None);
    }
    assert_eq!(set_minimum(&secret, 2).await.unwrap().outcome, "unchanged");
    for minimum in [0, 3] {
        assert!(matches!(set_minimum(&secret, minimum).await, Err(Error::Minimum(_))), "{minimum}");
    }
    assert_eq!(set_minimum(&Memory::default(), 1).await.unwrap_err(), Error::NoKeyring);
}

#[tokio::test]
async fn a_schedule_that_is_only_tested_passes_with_and_without_a_first_key() {
    assert_eq!(step(&Memory::default(), "testSecret", "token").await.unwrap().outcome, "unchanged");
    let secret = with_first_key().await;
    let copy = secret.current().await.unwrap().unwrap().text;
    secret.put("copy", &copy, "AWSPENDING").await.unwrap();
    step(&secret, "testSecret", "copy").await.unwrap();
}

#[tokio::test]
async fn a_step_without_the_one_before_it_says_so() {
    let secret = with_first_key().await;
    for name in ["setSecret", "testSecret", "finishSecret"] {
        assert_eq!(step(&secret, name, "token-1").await.unwrap_err(), Error::NothingPending, "{name}");
    }
}

#[tokio::test]
async fn what_is_no_step_and_another_secret_are_refused() {
    let secret = with_first_key().await;
    for event in ["{}", "[]", r#"{"Step":"dropSecret","SecretId":"keyring","ClientRequestToken":"t"}"#, "null"] {
        assert_eq!(handle(&secret, event).await.unwrap_err(), Error::Event, "{event}");
    }
    let other = r#"{"Step":"createSecret","SecretId":"other","ClientRequestToken":"t"}"#;
    assert_eq!(handle(&secret, other).await.unwrap_err(), Error::OtherSecret);
}

#[test]
fn an_arn_and_the_name_in_it_are_one_secret() {
    let arn = "arn:aws:secretsmanager:eu-central-1:111122223333:secret:app/keyring-a1B2c3";
    for (one, other, same) in [
        (arn, arn, true),
        ("app/keyring", arn, true),
        (arn, "app/keyring", true),
        ("app/key", arn, false),
        ("app/keyring-a1", arn, false),
        ("other", "keyring", false),
    ] {
        assert_eq!(same_secret(one, other), same, "{one} {other}");
    }
}
