//! Making conversations.

use tidegate_types::{ConversationId, DocumentId, UserId};

use super::conversations::Conversations;
use super::error::{ConversationsError, CreateConversationError};
use super::model::{Conversation, NewConversation};
use super::store::Inserted;

const TITLE_BYTES_MAX: usize = 512;
const DOCUMENTS_MAX: usize = 100;

impl Conversations {
    /// Makes a conversation over documents of its owner; none named means all of them.
    ///
    /// # Errors
    /// A document is not the owner's, or there are too many of something.
    pub async fn create(
        &self,
        owner: UserId,
        new: NewConversation,
    ) -> Result<Conversation, CreateConversationError> {
        self.create_of(owner, new, None).await
    }

    /// The conversation of a document's own chat; made at the first question.
    ///
    /// # Errors
    /// The document is not the owner's, or there are too many conversations.
    pub async fn chat_of(
        &self,
        owner: UserId,
        document: DocumentId,
    ) -> Result<Conversation, CreateConversationError> {
        if let Some(found) = self.parts().store.find_chat(owner, document).await? {
            return Ok(found);
        }
        let known = self.parts().library.find_document(document).await.map_err(ConversationsError::from)?;
        let title = known.map(|document| cut(&document.filename));
        let new = NewConversation { title, document_ids: vec![document] };
        self.create_of(owner, new, Some(document)).await
    }

    async fn create_of(
        &self,
        owner: UserId,
        new: NewConversation,
        chat_of: Option<DocumentId>,
    ) -> Result<Conversation, CreateConversationError> {
        let document_ids = self.check(owner, &new).await?;
        let now = self.now();
        let conversation = Conversation {
            id: ConversationId::generate(now, &*self.parts().entropy),
            owner_id: owner,
            title: new.title.filter(|title| !title.trim().is_empty()),
            document_ids,
            chat_of,
            turns: 0,
            created_at: now,
            updated_at: now,
        };
        let most = self.parts().limits.conversations_per_user;
        match self.parts().store.insert(conversation.clone(), most).await? {
            Inserted::New => Ok(conversation),
            Inserted::Existing(id) => {
                let found = self.parts().store.lookup(id).await?;
                found.ok_or_else(|| ConversationsError::internal(&"a chat vanished while it was made").into())
            }
            Inserted::TooMany => Err(CreateConversationError::TooMany(most)),
        }
    }

    /// The documents, each once, if all of them are the owner's.
    async fn check(
        &self,
        owner: UserId,
        new: &NewConversation,
    ) -> Result<Vec<DocumentId>, CreateConversationError> {
        if new.title.as_ref().is_some_and(|title| title.len() > TITLE_BYTES_MAX) {
            return Err(CreateConversationError::Title(TITLE_BYTES_MAX));
        }
        if new.document_ids.len() > DOCUMENTS_MAX {
            return Err(CreateConversationError::TooManyDocuments(DOCUMENTS_MAX));
        }
        let mut ids: Vec<DocumentId> = Vec::with_capacity(new.document_ids.len());
        for id in &new.document_ids {
            let found = self.parts().library.find_document(*id).await.map_err(ConversationsError::from)?;
            found.filter(|found| found.owner_id == owner).ok_or(CreateConversationError::NoDocument)?;
            if !ids.contains(id) {
                ids.push(*id);
            }
        }
        Ok(ids)
    }
}

fn cut(name: &str) -> String {
    name.get(..name.floor_char_boundary(TITLE_BYTES_MAX)).unwrap_or_default().to_owned()
}
