//! Repeating a finished one, as a new one that names it.

use tidegate_types::{GenerationId, UserId};

use crate::{CreateError, Generation, Generations, GenerationsError, Origin, RetryError};

impl Generations {
    /// Creates a new generation like a finished one, with its own stream.
    ///
    /// # Errors
    /// There is no such generation of this owner, it has not ended, or its framework is gone.
    pub async fn retry(&self, owner: UserId, id: &GenerationId) -> Result<Generation, RetryError> {
        let earlier = self.lookup(id).await?.filter(|record| record.owner_id == owner);
        let earlier = earlier.ok_or(RetryError::NotFound)?;
        if !earlier.status.is_finished() {
            return Err(RetryError::NotFinished(earlier.status));
        }
        if !self.parts().knows(&earlier.framework) {
            return Err(RetryError::UnknownFramework(earlier.framework));
        }
        let origin = Origin { retry_of: Some(id.clone()), ..Origin::of(&earlier) };
        match self.create_from(None, origin).await {
            Ok(created) => Ok(created.record),
            Err(CreateError::Generations(error)) => Err(error.into()),
            Err(other) => Err(GenerationsError::internal(&other).into()),
        }
    }
}
