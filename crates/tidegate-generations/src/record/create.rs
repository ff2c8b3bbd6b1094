//! Creating: the stream with its first record, then the row, then the answer.

use serde_json::Value;
use tidegate_log::NewStream;
use tidegate_types::{GenerationId, UserId};

use crate::announce::Told;
use crate::store::Row;
use crate::{
    CreateError, Created, Entry, Generation, Generations, GenerationsError, Invalid, New, Origin, Rejected,
    project,
};

const TITLE_BYTES_MAX: usize = 512;
const DOCUMENTS_MAX: usize = 100;
const DOCUMENT_ID_BYTES_MAX: usize = 64;

impl Generations {
    /// Creates a generation and its stream with the first record. The same id, owner and body
    /// again give the record that is there.
    ///
    /// # Errors
    /// A field is not valid, the framework is unknown, or the id is taken.
    pub async fn create(&self, owner: UserId, new: New) -> Result<Created, CreateError> {
        let id = new.id.clone();
        let origin = self.origin(owner, new)?;
        self.check_built_in(id.as_ref(), &origin).await?;
        self.create_from(id, origin).await
    }

    /// Asks the framework, if it is ours, whether it can be done at all. Not for one that is there:
    /// what it was made of may be gone by now.
    async fn check_built_in(&self, id: Option<&GenerationId>, origin: &Origin) -> Result<(), CreateError> {
        let Some(framework) = self.parts().built_in(&origin.framework) else { return Ok(()) };
        if let Some(id) = id
            && self.row(id).await?.is_some()
        {
            return Ok(());
        }
        framework.check(origin).await.map_err(|rejected| match rejected {
            Rejected::Invalid(invalid) => CreateError::Invalid(invalid),
            Rejected::Broken(error) => CreateError::Generations(error),
        })
    }

    pub(crate) async fn create_from(
        &self,
        id: Option<GenerationId>,
        origin: Origin,
    ) -> Result<Created, CreateError> {
        let id = id.unwrap_or_else(|| GenerationId::generate(self.now(), &*self.parts().entropy));
        let this = self.clone();
        self.run_whole(async move { this.create_whole(&id, origin).await }).await
    }

    async fn create_whole(&self, id: &GenerationId, origin: Origin) -> Result<Created, CreateError> {
        self.row(id).await?;
        let _held = self.inner.locks.lock(id.clone()).await;
        if let Some(row) = self.parts().store.lookup(id).await? {
            return self.as_existing(row, &origin).await;
        }
        let entry =
            Entry::created(id, &origin, self.now()).map_err(|error| GenerationsError::internal(&error))?;
        let record = entry.encode().map_err(|error| GenerationsError::internal(&error))?;
        let new = NewStream { records: vec![record], ..NewStream::json() };
        match self.parts().log.create(&Self::stream_path(id), new).await {
            Ok(created) if !created.existed => {
                let state = project(None, &entry, created.info.tail)
                    .map_err(|error| GenerationsError::internal(&error))?;
                let row = Row { state, lease: None };
                self.save(&row, Told::created(&row.state.record)).await?;
                Ok(Created { record: self.placed(row.state.record).await?, existed: false })
            }
            // Its creation was cut off between the stream and the row: the stream counts.
            Ok(_) | Err(tidegate_log::CreateError::Exists) => match self.mend(id).await? {
                Some(row) => self.as_existing(row, &origin).await,
                None => Err(CreateError::IdTaken),
            },
            Err(error) => {
                let (code, detail) = (error.code(), error.to_string());
                Err(GenerationsError::Stream { code, detail }.into())
            }
        }
    }

    async fn as_existing(&self, row: Row, wanted: &Origin) -> Result<Created, CreateError> {
        if Origin::of(&row.state.record) != *wanted {
            return Err(CreateError::IdTaken);
        }
        Ok(Created { record: self.placed(row.state.record).await?, existed: true })
    }

    fn origin(&self, owner: UserId, new: New) -> Result<Origin, CreateError> {
        let limits = &self.parts().limits;
        let max_attempts = new.max_attempts.map_or(limits.generation_attempts, u64::from);
        check(&new, limits.prompt_bytes).map_err(CreateError::Invalid)?;
        if !(1..=limits.generation_attempts_max).contains(&max_attempts) {
            let detail = format!("is 1 to {}", limits.generation_attempts_max);
            return Err(CreateError::Invalid(Invalid::new("/max_attempts", detail)));
        }
        if !self.parts().knows(&new.framework) {
            return Err(CreateError::UnknownFramework(new.framework));
        }
        Ok(Origin {
            owner_id: owner,
            title: new.title,
            prompt: new.prompt,
            framework: new.framework,
            options: new.options,
            document_ids: new.document_ids,
            max_attempts: u32::try_from(max_attempts).unwrap_or(u32::MAX),
            retry_of: None,
        })
    }
}

impl Origin {
    pub(crate) fn of(record: &Generation) -> Self {
        Self {
            owner_id: record.owner_id,
            title: record.title.clone(),
            prompt: record.prompt.clone(),
            framework: record.framework.clone(),
            options: record.options.clone(),
            document_ids: record.document_ids.clone(),
            max_attempts: record.max_attempts,
            retry_of: record.retry_of.clone(),
        }
    }
}

fn check(new: &New, prompt_bytes: u64) -> Result<(), Invalid> {
    if new.prompt.trim().is_empty() {
        return Err(Invalid::new("/prompt", "is empty"));
    }
    if new.prompt.len() as u64 > prompt_bytes {
        return Err(Invalid::new("/prompt", format!("has more than {prompt_bytes} bytes")));
    }
    if new.title.as_ref().is_some_and(|title| title.len() > TITLE_BYTES_MAX) {
        return Err(Invalid::new("/title", format!("has more than {TITLE_BYTES_MAX} bytes")));
    }
    if Value::from(new.options.clone()).to_string().len() as u64 > prompt_bytes {
        return Err(Invalid::new("/options", format!("have more than {prompt_bytes} bytes")));
    }
    if new.document_ids.len() > DOCUMENTS_MAX {
        return Err(Invalid::new("/document_ids", format!("name more than {DOCUMENTS_MAX} documents")));
    }
    let well_formed = |id: &String| (1..=DOCUMENT_ID_BYTES_MAX).contains(&id.len());
    match new.document_ids.iter().position(|id| !well_formed(id)) {
        Some(index) => Err(Invalid::new(format!("/document_ids/{index}"), "is not an id")),
        None => Ok(()),
    }
}
