//! Where the crypto API of an environment is: its URL, its function, its keyring.

use super::Via;
use crate::compare::{Why, WhyKind};
use crate::ops::outputs::Outputs;
use crate::ops::session::Session;

/// The outputs of `lambda/template.yaml`.
const ENDPOINT: &str = "CryptoEndpoint";
const FUNCTION: &str = "CryptoFunction";
const KEYRING: &str = "KeyringSecret";
const INVOKE: &str = "InvokeArn";

/// What is known of it.
#[derive(Clone)]
pub(super) struct Place {
    /// As the project says it.
    endpoint: Option<String>,
    /// The stack's output that has the URL.
    output: String,
    stack: Option<Outputs>,
}

/// Looks where the project says, else into its stacks. A URL that the project says needs no stack.
pub(super) async fn locate(session: &Session, via: Via) -> Result<Place, Why> {
    let crypto = &session.project().crypto;
    let adhoc = session.settings.adhoc.as_ref().and_then(|adhoc| adhoc.stack.clone());
    let endpoint = match &crypto.endpoint {
        Some(pattern) if adhoc.is_none() => Some(session.expand(pattern).await?),
        _ => None,
    };
    let place = Place { endpoint, output: ENDPOINT.to_owned(), stack: None };
    if via == Via::Api && place.endpoint.is_some() {
        return Ok(place);
    }
    if let Some(name) = adhoc {
        return Ok(Place { stack: Some(Outputs::of(session, &name).await?), ..place });
    }
    if let Some(output) = &crypto.output {
        let output = session.expand(output).await?;
        let (stack, output) = output.split_once('/').unwrap_or((output.as_str(), ENDPOINT));
        let place = Place { output: output.to_owned(), ..place };
        return Ok(Place { stack: Some(Outputs::of(session, stack).await?), ..place });
    }
    let mut names = Vec::new();
    for stack in &session.project().stacks {
        let env = &session.environment().name;
        let is_here = stack.environments.is_empty() || stack.environments.contains(env);
        if is_here && !stack.name.contains("{service}") {
            names.push(session.expand(&stack.name).await?);
        }
    }
    for name in &names {
        if let Some(stack) = Outputs::find(session, name).await?.filter(|outputs| outputs.get(FUNCTION).is_some()) {
            return Ok(Place { stack: Some(stack), ..place });
        }
    }
    let looked = if names.is_empty() { String::new() } else { format!(": not in {}", names.join(", ")) };
    Err(Why::new(format!("nothing says where the crypto API of {} is{looked}", session.environment().name))
        .hint("--stack NAME, or [crypto] in plumb.toml: output = \"petshop-crypto-{env}/CryptoEndpoint\"")
        .kind(WhyKind::Missing))
}

impl Place {
    /// The base URL.
    pub(super) fn endpoint(&self) -> Result<String, Why> {
        match &self.endpoint {
            Some(endpoint) => Ok(endpoint.clone()),
            None => self.output(&self.output),
        }
    }

    /// The function by the alias that the API calls.
    pub(super) fn function(&self) -> Result<String, Why> {
        self.output(FUNCTION)
    }

    /// The stack that it is in, where that is known.
    pub(super) fn stack(&self) -> Option<&str> {
        self.stack.as_ref().map(|outputs| outputs.stack.as_str())
    }

    /// The function's log group: `FUNCTION` is an ARN or a name, each with or without a qualifier.
    pub(super) fn log_group(&self) -> Result<String, Why> {
        self.function().map(|function| log_group(&function))
    }

    /// The secret with the keys.
    pub(super) fn keyring(&self) -> Result<String, Why> {
        self.output(KEYRING)
    }

    /// What a caller that is refused lacks.
    pub(super) fn needs(&self) -> String {
        let on = self.stack.as_ref().and_then(|outputs| outputs.get(INVOKE)).unwrap_or("the API");
        format!("execute-api:Invoke on {on} is needed, or another profile")
    }

    fn output(&self, name: &str) -> Result<String, Why> {
        let Some(outputs) = &self.stack else {
            return Err(Why::new(format!("[crypto] names a URL alone, which does not say the {name}"))
                .hint("[crypto] in plumb.toml: output = \"petshop-crypto-{env}/CryptoEndpoint\""));
        };
        outputs.need(name, "lambda/template.yaml", "[crypto]")
    }
}

fn log_group(function: &str) -> String {
    let name = function.split_once(":function:").map_or(function, |(_, name)| name);
    format!("/aws/lambda/{}", name.split(':').next().unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::log_group;

    #[test]
    fn a_function_s_log_is_named_by_its_name_whatever_stands_around_it() {
        for function in
            ["shop", "shop:live", "arn:aws:lambda:r:1:function:shop", "arn:aws:lambda:r:1:function:shop:live"]
        {
            assert_eq!(log_group(function), "/aws/lambda/shop", "{function}");
        }
    }
}
