//! Conversations and who answers in them, from the configuration.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_db::Db;
use tidegate_documents::{
    Answerer, Answerers, Conversations, ConversationsParts, Documents, Extractive, Model, ModelConfig,
    OpenAi, SqliteConversations,
};
use tidegate_log::Log;
use tidegate_types::Limits;

use super::upstream::HttpUpstream;
use super::wire::{Setup, unusable};
use crate::config::Refusal;

/// Opens the conversations; turns that a stop cut off end here.
pub(super) async fn open_conversations(
    setup: &Setup,
    db: &Db,
    log: &Log,
    documents: &Documents,
    limits: &Arc<Limits>,
) -> Result<Conversations, Refusal> {
    let parts = ConversationsParts {
        store: Arc::new(SqliteConversations::new(db.clone())),
        log: log.clone(),
        library: Arc::new(documents.clone()),
        answerers: answerers(setup),
        clock: Arc::clone(&setup.clock),
        entropy: Arc::clone(&setup.entropy),
        limits: Arc::clone(limits),
    };
    let database: &Path = &setup.database;
    Conversations::open(parts).await.map_err(|error| unusable(database, &error))
}

/// The model answers when there is one; else, and for who asks for it, the documents themselves do.
fn answerers(setup: &Setup) -> Answerers {
    let extractive: Arc<dyn Answerer> = Arc::new(Extractive);
    match model(setup) {
        Some(model) => Answerers::new(Arc::new(OpenAi::new(model, Arc::clone(&setup.entropy))), [extractive]),
        None => Answerers::new(extractive, []),
    }
}

/// The model of the configuration, if there is one.
pub(super) fn model(setup: &Setup) -> Option<Model> {
    let llm = &setup.config.llm;
    let mut config = ModelConfig::new(llm.base_url.clone()?, llm.model.clone()?);
    config.api_key = llm.api_key.as_ref().map(|key| key.secret().clone());
    config.first_token = Duration::from_secs(llm.first_token_seconds);
    config.between_tokens = Duration::from_secs(llm.between_tokens_seconds);
    config.whole = Duration::from_secs(llm.answer_seconds);
    config.retries = usize::try_from(llm.retries).unwrap_or(0);
    config.context_bytes = usize::try_from(llm.context_bytes).unwrap_or(usize::MAX);
    Some(Model::new(config, Arc::new(HttpUpstream::default())))
}
