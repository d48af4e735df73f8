//! How long calls take, by what is asked and how much of it.

use super::{Context, Crypto, Latency};
use crate::compare::Why;

/// What is measured: bytes of a message.
pub const SIZES: [usize; 3] = [64, 1024, 64 * 1024];

/// A row of figures.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `encrypt` or `decrypt`.
    pub operation: &'static str,
    /// Bytes of the message.
    pub bytes: usize,
    /// How long it took.
    pub latency: Latency,
}

/// Encrypts and decrypts messages of each size, one call after another. The first call of all is not counted: it connects,
/// and may start a function. `tell` hears what is being measured.
pub async fn bench(crypto: &Crypto, calls: usize, tell: super::Tell<'_>) -> Result<Vec<Row>, Why> {
    let context = Context::new();
    crypto.encrypt(&[], &context, None).await?;
    let mut rows = Vec::new();
    for bytes in SIZES {
        let message = vec![0_u8; bytes];
        let (mut encrypts, mut decrypts) = (Vec::new(), Vec::new());
        for call in 1..=calls {
            tell(&format!("{bytes} bytes, call {call} of {calls}"));
            let answer = crypto.answer_to_encrypt(&message, &context, None).await?;
            let sealed: super::Encrypted = answer.read(crypto)?;
            encrypts.push(answer.took());
            let request = super::Decrypt { ciphertext: &sealed.ciphertext, context: &context };
            let answer = crypto.post(super::Route::Decrypt, &request).await?;
            answer.read::<super::Decrypted>(crypto)?;
            decrypts.push(answer.took());
        }
        let row = |operation, took| Some(Row { operation, bytes, latency: Latency::of(took)? });
        rows.extend([row("encrypt", encrypts), row("decrypt", decrypts)].into_iter().flatten());
    }
    Ok(rows)
}
