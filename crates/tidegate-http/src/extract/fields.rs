//! Text fields of forms as one JSON object, so that forms and JSON share their types.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tidegate_types::ErrorCode;

use super::whole::{field_error, pointer};
use crate::problem::Problem;

/// Fields of one form at most.
const FIELDS_MAX: usize = 256;

/// Collects fields; a name that stands twice is refused.
#[derive(Debug, Default)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn add(&mut self, name: String, value: String) -> Result<(), Problem> {
        if self.0.len() >= FIELDS_MAX {
            return Err(Problem::new(ErrorCode::ValidationFailed).detail("the form has too many fields"));
        }
        if self.0.insert(name, Value::String(value)).is_some() {
            return Err(Problem::new(ErrorCode::DuplicateParameter).detail("a form field stands twice"));
        }
        Ok(())
    }

    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, Problem> {
        serde_path_to_error::deserialize(Value::Object(self.0)).map_err(|error| {
            let pointer = pointer(error.path());
            Problem::new(ErrorCode::ValidationFailed)
                .errors(vec![field_error(pointer, &error.inner().to_string())])
        })
    }
}
