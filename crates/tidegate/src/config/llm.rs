//! `[llm]`: a model that answers questions, behind any OpenAI-compatible address.

use super::spec::section;
use super::{Hidden, Refusal};

section! {
    /// A model that answers questions.
    LlmConfig in "llm" {
        /// Address up to and without /chat/completions, such as http://127.0.0.1:11434/v1; without it no model is asked.
        base_url: Option<String> = None, Text;
        /// Key of the model's service; better in the environment: TIDEGATE_LLM_API_KEY.
        api_key: Option<Hidden> = None, Secret;
        /// Name of the model.
        model: Option<String> = None, Text;
        /// Seconds until its first words.
        first_token_seconds: u64 = 60, Number;
        /// Seconds that it may be silent after them.
        between_tokens_seconds: u64 = 30, Number;
        /// Seconds that a whole answer may take, retries included.
        answer_seconds: u64 = 300, Number;
        /// How often a request is tried again before its first words.
        retries: u64 = 2, Number;
        /// Bytes of passages and earlier questions that go along with a question.
        context_bytes: u64 = 24_576, Number;
    }
}

impl LlmConfig {
    pub(super) fn check(&self, refusals: &mut Vec<Refusal>) {
        match (&self.base_url, &self.model) {
            (Some(url), model) => {
                let host = url.parse::<http::Uri>().ok().and_then(|uri| uri.host().map(str::to_owned));
                if !(url.starts_with("http://") || url.starts_with("https://")) || host.is_none() {
                    refusals.push(Refusal::new(
                        "llm.base_url",
                        "is not a URL",
                        "write it like http://127.0.0.1:11434/v1",
                    ));
                } else if url.contains('@') {
                    refusals.push(Refusal::new(
                        "llm.base_url",
                        "holds a credential",
                        "put it into llm.api_key (TIDEGATE_LLM_API_KEY)",
                    ));
                }
                if model.as_ref().is_none_or(|model| model.trim().is_empty()) {
                    refusals.push(Refusal::new(
                        "llm.model",
                        "is missing beside llm.base_url",
                        "name the model to ask (TIDEGATE_LLM_MODEL)",
                    ));
                }
            }
            (None, Some(_)) => refusals.push(Refusal::new(
                "llm.base_url",
                "is missing beside llm.model",
                "name the service's address (TIDEGATE_LLM_BASE_URL), or unset llm.model",
            )),
            (None, None) => {}
        }
        let bounds = [
            ("first_token_seconds", self.first_token_seconds, 1..=3_600),
            ("between_tokens_seconds", self.between_tokens_seconds, 1..=3_600),
            ("answer_seconds", self.answer_seconds, 1..=86_400),
            ("retries", self.retries, 0..=10),
            ("context_bytes", self.context_bytes, 1_024..=1_048_576),
        ];
        for (name, value, range) in bounds {
            if !range.contains(&value) {
                let (low, high) = (range.start(), range.end());
                refusals.push(Refusal::new(
                    format!("llm.{name}"),
                    format!("= {value} is out of range"),
                    format!("use {low} to {high}"),
                ));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(config: &LlmConfig) -> Vec<String> {
        let mut refusals = Vec::new();
        config.check(&mut refusals);
        refusals.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_address_and_a_model_belong_together() {
        let whole = LlmConfig {
            base_url: Some("http://127.0.0.1:11434/v1".into()),
            model: Some("small".into()),
            ..LlmConfig::default()
        };
        assert!(refused(&whole).is_empty() && refused(&LlmConfig::default()).is_empty());
        assert_eq!(refused(&LlmConfig { model: None, ..whole.clone() }).len(), 1);
        assert_eq!(refused(&LlmConfig { base_url: None, ..whole.clone() }).len(), 1);
        let with_key = LlmConfig { base_url: Some("http://u:hunter2@h/v1".into()), ..whole };
        let text = refused(&with_key).concat();
        assert!(text.contains("api_key") && !text.contains("hunter2"), "{text}");
    }
}
